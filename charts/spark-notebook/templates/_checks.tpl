{{/*
spark-notebook.checks: values that cannot go together, each refused in one line that says what to do. Call with the root.
*/}}
{{- define "spark-notebook.checks" -}}
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
{{- include "spark-notebook.checkAccess" . -}}
{{- include "spark-common.checkIdle" .Values.idle -}}
{{- range $name := list "JUPYTER_TOKEN" "JUPYTER_TOKEN_FILE" -}}
{{- if hasKey $.Values.driver.env $name -}}
{{- fail (printf "driver.env sets %s, and who logs in is not for variables: login.secret names the Secret with the token" $name) -}}
{{- end -}}
{{- end -}}
{{- $own := dict "automountServiceAccountToken" "nothing: a notebook has a token and an executor has none" "restartPolicy" "nothing: Kubernetes starts a notebook again, and the driver its executors" -}}
{{- range $role := list "driver" "executor" -}}
{{- include "spark-common.checkRole" (dict "root" $ "role" $role) -}}
{{- include "spark-common.checkRoleTemplate" (dict "root" $ "role" $role "spec" $own "container" (dict "command" "nothing: the container runs JupyterLab" "args" "nothing: the container runs JupyterLab")) -}}
{{- end -}}
{{- include "spark-common.checkExecutors" . -}}
{{- $confs := list .Values.global.sparkConf .Values.sparkConf -}}
{{- $from := list "global.sparkConf" "sparkConf" -}}
{{- range $number, $conf := $confs -}}
{{- include "spark-common.checkConf" (dict "conf" $conf "from" (index $from $number) "own" (dict "spark.submit.deployMode" "nothing: the pod is itself the driver, which is client mode" "spark.kubernetes.driver.container.image" "image")) -}}
{{- end -}}
{{- include "spark-common.checkSecurity" (dict "root" . "security" (list .Values.global.security .Values.security) "allow" "security.allowInsecure" "confs" $confs "from" $from) -}}
{{- include "spark-common.checkEventLog" (dict "eventLog" .Values.global.eventLog "global" .Values.global "confs" $confs "from" $from) -}}
{{- include "spark-common.checkHadoop" (dict "global" .Values.global "confs" $confs "from" $from) -}}
{{- include "spark-common.checkLog" .Values.log -}}
{{- with .Values.home -}}
{{- if and .existingClaim (not .claim) -}}
{{- fail (printf "home.existingClaim is %q but home.claim is false: set it to true" .existingClaim) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What a hub decides, or cannot have. */}}
{{- define "spark-notebook.checkHub" -}}
{{- $values := .Values -}}
{{- $others := dict "login.secret.name" $values.login.secret.name "home.existingClaim" $values.home.existingClaim -}}
{{- if ne $values.basePath "/" -}}{{- $_ := set $others "basePath" $values.basePath -}}{{- end -}}
{{- if $values.ingress.enabled -}}{{- $_ := set $others "ingress.enabled" "true" -}}{{- end -}}
{{- range $key, $value := $others -}}
{{- if $value -}}
{{- fail (printf "%s is %s and login.method is hub, which gives each user a token, a path and a home of its own: leave one of them out" $key $value) -}}
{{- end -}}
{{- end -}}
{{- if ne $values.executor.allocator "direct" -}}
{{- fail (printf "executor.allocator is %s and login.method is hub: only pods that a user's driver makes itself are told from another user's; set it to direct" $values.executor.allocator) -}}
{{- end -}}
{{- end }}

{{- define "spark-notebook.checkAccess" -}}
{{- $login := .Values.login -}}
{{- if include "spark-notebook.forHub" . -}}
{{- include "spark-notebook.checkHub" . -}}
{{- end -}}
{{- if and (eq $login.method "token") (not $login.secret.name) -}}
{{- fail "login.secret.name is empty: set it to the Secret with the notebook's token, login.method to proxy where an authenticating proxy stands before it, or to hub where a JupyterHub makes the notebooks" -}}
{{- end -}}
{{- if and (eq $login.method "proxy") $login.secret.name -}}
{{- fail (printf "login.secret.name is %q and login.method is proxy, which asks for no token: leave one of them out" $login.secret.name) -}}
{{- end -}}
{{- if and (eq $login.method "proxy") (not .Values.network.from) -}}
{{- fail "login.method is proxy but network.from is empty: name the pods of the authenticating proxy, the only ones that may connect" -}}
{{- end -}}
{{- if eq $login.method "proxy" -}}
{{- include "spark-common.checkNoLogin" (dict "peers" .Values.network.from "method" $login.method "cure" "the pods of the authenticating proxy") -}}
{{- end -}}
{{- if regexMatch "/[.]{1,2}(/|$)" .Values.basePath -}}
{{- fail (printf "basePath is %q, and browsers take . and .. out of a path: write it without them" .Values.basePath) -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.enabled is true but ingress.host is empty: set it to the host's name" -}}
{{- end -}}
{{- end }}
