{{/*
spark-connect.checks: values that cannot go together, each refused in one line that says what to do. Call with the root.
*/}}
{{- define "spark-connect.checks" -}}
{{- /* Each template asks, because helm may render any of them first; their root is one and the same. */ -}}
{{- if not (hasKey . "kindlingChecked") -}}
{{- $_ := set . "kindlingChecked" true -}}
{{- include "spark-common.checkForms" . -}}
{{- include "spark-common.checkDenied" . -}}
{{- include "spark-common.checkText" .Values -}}
{{- include "spark-common.checkServiceName" . -}}
{{- include "spark-common.checkHelpers" .Values.global.helpers -}}
{{- include "spark-common.checkLabels" (dict "labels" .Values.global.commonLabels "from" "global.commonLabels") -}}
{{- include "spark-common.checkAnnotations" (dict "annotations" .Values.ingress.annotations "from" "ingress.annotations") -}}
{{- include "spark-common.checkPeers" (dict "peers" .Values.network.from "from" "network.from") -}}
{{- include "spark-connect.checkAccess" . -}}
{{- include "spark-common.checkIdle" .Values.idle -}}
{{- $confs := list .Values.global.sparkConf .Values.sparkConf -}}
{{- $from := list "global.sparkConf" "sparkConf" -}}
{{- if and .Values.idle.server (eq (include "spark-common.flag" (dict "confs" $confs "key" "spark.ui.enabled")) "false") -}}
{{- fail "idle.server is set and spark.ui.enabled is false: the UI alone tells how many sessions there are; leave one of them out" -}}
{{- end -}}
{{- if hasKey .Values.driver.env "SPARK_CONNECT_AUTHENTICATE_TOKEN" -}}
{{- fail "driver.env sets SPARK_CONNECT_AUTHENTICATE_TOKEN, and who may use the server is not for variables: login.secret names the Secret with the token" -}}
{{- end -}}
{{- $own := dict "automountServiceAccountToken" "nothing: a driver has a token and an executor has none" "restartPolicy" "nothing: Kubernetes starts a server again, and the driver its executors" -}}
{{- range $role := list "driver" "executor" -}}
{{- include "spark-common.checkRole" (dict "root" $ "role" $role) -}}
{{- include "spark-common.checkRoleTemplate" (dict "root" $ "role" $role "spec" $own "container" (dict "command" "nothing: the container runs the Connect server" "args" "nothing: the container runs the Connect server")) -}}
{{- end -}}
{{- include "spark-common.checkExecutors" . -}}
{{- $ownConf := dict
  "spark.submit.deployMode" "nothing: the pod is itself the driver, which is client mode"
  "spark.kubernetes.driver.container.image" "image"
  "spark.remote" "nothing: the server runs Spark itself"
  "spark.api.mode" "nothing: the server runs Spark itself"
  "spark.connect.authenticate.token" "login.secret"
  "spark.connect.grpc.binding.address" "listen"
  "spark.connect.grpc.binding.port" (include "spark-common.port" "connect" | printf "nothing: it is %s, which the Service leads to")
  "spark.connect.grpc.port.maxRetries" "nothing: the server ends where its port is taken"
  "spark.connect.session.manager.defaultSessionTimeout" "idle.sessions" -}}
{{- range $number, $conf := $confs -}}
{{- include "spark-common.checkConf" (dict "conf" $conf "from" (index $from $number) "own" (deepCopy $ownConf)) -}}
{{- end -}}
{{- include "spark-common.checkSecurity" (dict "root" . "security" (list .Values.global.security .Values.security) "allow" "security.allowInsecure" "confs" $confs "from" $from) -}}
{{- include "spark-common.checkEventLog" (dict "eventLog" .Values.global.eventLog "global" .Values.global "confs" $confs "from" $from) -}}
{{- include "spark-common.checkHadoop" (dict "global" .Values.global "confs" $confs "from" $from) -}}
{{- include "spark-common.checkLog" .Values.log -}}
{{- end -}}
{{- end }}

{{- define "spark-connect.checkAccess" -}}
{{- $login := .Values.login -}}
{{- if and (eq $login.method "token") (not $login.secret.name) -}}
{{- fail "login.secret.name is empty: set it to the Secret with the server's token, or login.method to anonymous where whoever may connect may run code" -}}
{{- end -}}
{{- if and (eq $login.method "anonymous") $login.secret.name -}}
{{- fail (printf "login.secret.name is %q and login.method is anonymous, which asks for no token: leave one of them out" $login.secret.name) -}}
{{- end -}}
{{- if and (eq $login.method "token") (hasPrefix "3." .Values.image.tag) -}}
{{- fail (printf "image.tag is %q, and the Connect server of Spark 3 asks for no token: take Spark 4, or set login.method to anonymous and listen to plaintext" .Values.image.tag) -}}
{{- end -}}
{{- if and (ne .Values.listen "plaintext") (hasPrefix "3." .Values.image.tag) -}}
{{- fail (printf "image.tag is %q, and the Connect server of Spark 3 listens at every address of the pod, without TLS: take Spark 4, or set listen to plaintext" .Values.image.tag) -}}
{{- end -}}
{{- if and (eq $login.method "anonymous") (ne .Values.listen "loopback") -}}
{{- include "spark-common.checkNoLogin" (dict "peers" .Values.network.from "method" $login.method "cure" "who may connect") -}}
{{- end -}}
{{- if and (eq .Values.listen "tls") (not .Values.tls.secretName) -}}
{{- fail "tls.secretName is empty: set it to the Secret with the server's certificate, or listen to loopback where people come by kubectl port-forward alone" -}}
{{- end -}}
{{- if and (ne .Values.listen "tls") .Values.tls.secretName -}}
{{- fail (printf "tls.secretName is %q and listen is %s, which has no TLS: leave it empty, or set listen to tls" .Values.tls.secretName .Values.listen) -}}
{{- end -}}
{{- range $kind := list "ingress" "grpcRoute" -}}
{{- $way := get $.Values $kind -}}
{{- if and $way.enabled (eq $.Values.listen "loopback") -}}
{{- fail (printf "%s.enabled is true and listen is loopback, where nothing from outside of the pod comes: set listen to tls, or to plaintext" $kind) -}}
{{- end -}}
{{- if and $way.enabled (not $way.host) -}}
{{- fail (printf "%s.enabled is true but %s.host is empty: set it to the host's name" $kind $kind) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.grpcRoute.enabled (not .Values.grpcRoute.parentRefs) -}}
{{- fail "grpcRoute.enabled is true but grpcRoute.parentRefs is empty: name the gateway" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.tlsSecretName) -}}
{{- fail "ingress.enabled is true but ingress.tlsSecretName is empty: clients send tokens over TLS alone, and gRPC needs it at an Ingress; set it to the Secret with the host's certificate" -}}
{{- end -}}
{{- end }}
