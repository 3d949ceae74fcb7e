{{/*
spark-common.port   a port of a pod; call with whose it is: "driver" (RPC), "blockManager", "ui" (of a driver), "history",
                    "proxy" (spark-ui-proxy's nginx) or "operations" (its probes and metrics), "notebook" (JupyterLab)
*/}}
{{- define "spark-common.port" -}}
{{- get (dict "driver" 7078 "blockManager" 7079 "ui" 4040 "history" 18080 "proxy" 8080 "operations" 8081 "notebook" 8888) . | required (printf "spark-common.port knows no %q" .) -}}
{{- end }}
