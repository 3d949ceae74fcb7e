{{/*
spark-common.askApiServer: Python (standard library only) that the "helm test" pods of several charts begin with.
It defines ask(method, path, body=None): the API server's answer as an object, asked with the pod's own token.
*/}}
{{- define "spark-common.askApiServer" -}}
import json, os, ssl, sys, time, urllib.request

FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"


def ask(method, path, body=None):
    request = urllib.request.Request(
        "https://kubernetes.default.svc" + path,
        method=method,
        data=json.dumps(body).encode() if body else None,
        headers={"Authorization": "Bearer " + open(FOLDER + "/token").read(), "Content-Type": "application/json"},
    )
    context = ssl.create_default_context(cafile=FOLDER + "/ca.crt")
    with urllib.request.urlopen(request, context=context, timeout=10) as answer:
        return json.load(answer)
{{- end }}
