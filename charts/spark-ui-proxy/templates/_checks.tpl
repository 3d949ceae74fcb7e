{{/*
spark-ui-proxy.checks: values that cannot go together, each refused in one line that says what to do.
*/}}
{{- define "spark-ui-proxy.checks" -}}
{{- include "spark-common.checkForms" . -}}
{{- include "spark-common.checkText" .Values -}}
{{- include "spark-common.checkServiceName" . -}}
{{- include "spark-common.checkHelpers" .Values.global.helpers -}}
{{- include "spark-common.checkLabels" (dict "labels" .Values.global.commonLabels "from" "global.commonLabels") -}}
{{- include "spark-common.checkLabels" (dict "labels" .Values.labels "from" "labels") -}}
{{- range $monitor := list "podMonitor" "serviceMonitor" -}}
{{- include "spark-common.checkLabels" (dict "labels" (get $.Values.metrics $monitor).labels "from" (printf "metrics.%s.labels" $monitor)) -}}
{{- end -}}
{{- range $part := list "ingress" "service" "serviceAccount" -}}
{{- include "spark-common.checkAnnotations" (dict "annotations" (get $.Values $part).annotations "from" (printf "%s.annotations" $part)) -}}
{{- end -}}
{{- include "spark-common.checkLabels" (dict "labels" ((.Values.podTemplate.metadata).labels | default dict) "from" "podTemplate") -}}
{{- include "spark-common.checkPodTemplate" (dict
  "template" .Values.podTemplate
  "from" "podTemplate"
  "names" (list "nginx" "decider")
  "spec" (dict
    "serviceAccountName" "serviceAccount"
    "serviceAccount" "serviceAccount"
    "automountServiceAccountToken" "nothing: only the decider has a token"
    "restartPolicy" "nothing: a proxy is always started again")
  "container" (dict
    "image" "image"
    "imagePullPolicy" "image.pullPolicy"
    "command" "nothing: the image has it"
    "args" "nothing: the container reads the chart's configuration"
    "resources" "resources")) -}}
{{- if hasKey .Values.annotations "checksum/config" -}}
{{- fail "annotations sets checksum/config, which the chart sets itself: take another key" -}}
{{- end -}}
{{- with .Values.global.helpers.limitCores | include "spark-common.text" -}}
{{- $asked := $.Values.resources.decider.requests.cpu | default "0" | include "spark-common.text" -}}
{{- if gt (include "spark-common.millicores" $asked | int64) (include "spark-common.millicores" . | int64) -}}
{{- fail (printf "global.helpers.limitCores is %q, less than resources.decider.requests.cpu, %q, which the pod of helm test asks for: raise it" . $asked) -}}
{{- end -}}
{{- end -}}
{{- $namespaces := .Values.namespaces -}}
{{- $misread := list "proxy" "history" "shs" -}}
{{- $ways := list -}}
{{- range $way := list "names" "selector" "all" -}}
{{- if get $namespaces $way -}}
{{- $ways = append $ways (printf "namespaces.%s" $way) -}}
{{- end -}}
{{- end -}}
{{- if not $ways -}}
{{- fail "namespaces shows none: list them in namespaces.names, or set namespaces.selector or namespaces.all" -}}
{{- end -}}
{{- if gt (len $ways) 1 -}}
{{- fail (printf "%s are both set: keep the one that says whose applications are shown" (join " and " $ways)) -}}
{{- end -}}
{{- range $namespaces.names -}}
{{- if has . $misread -}}
{{- fail (printf "namespaces.names has %q, a word that Spark's pages misread in a path: such a namespace cannot be shown; give the team's another name" .) -}}
{{- end -}}
{{- end -}}
{{- range splitList "/" .Values.basePath -}}
{{- if has . $misread -}}
{{- fail (printf "basePath has the segment %q, which Spark's pages misread: name it otherwise, /spark" .) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.rbac.roles (not $namespaces.names) -}}
{{- fail "rbac.roles is true but namespaces.names is empty: Roles are made in the namespaces that are listed" -}}
{{- end -}}
{{- include "spark-ui-proxy.checkLogin" . -}}
{{- $byHost := eq .Values.hosts.mode "namespace" -}}
{{- if and $byHost (not .Values.hosts.domain) -}}
{{- fail "hosts.mode is namespace but hosts.domain is empty: set it to the domain that has a host for each namespace" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.enabled is true but httpRoute.parentRefs is empty: name the gateway" -}}
{{- end -}}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) -}}
{{- fail (printf "autoscaling.minReplicas is %d, above maxReplicas %d: raise the one or lower the other" (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- if and .Values.service.nodePort (eq .Values.service.type "ClusterIP") -}}
{{- fail (printf "service.nodePort is %d but service.type is ClusterIP: set the type to NodePort" (int .Values.service.nodePort)) -}}
{{- end -}}
{{- if and .Values.metrics.podMonitor.enabled .Values.metrics.serviceMonitor.enabled -}}
{{- fail "metrics.podMonitor.enabled and metrics.serviceMonitor.enabled are both true, and Prometheus would count all twice: keep one" -}}
{{- end -}}
{{- range $cidr := without .Values.limits.podNetworks "0.0.0.0/0" -}}
{{- if regexMatch "^(0\\.|127\\.|169\\.254\\.|22[4-9]\\.|2[345][0-9]\\.|f[ef]..:)" $cidr -}}
{{- fail (printf "limits.podNetworks has %s, where no pod lives (loopback, link-local, multicast or reserved): give the networks that \"kubectl get pods --all-namespaces --output wide\" shows" $cidr) -}}
{{- end -}}
{{- end -}}
{{- $network := .Values.network -}}
{{- if and $network.egress.closed (not $network.egress.apiServer.cidrs) -}}
{{- fail "network.egress.closed is true but network.egress.apiServer.cidrs is empty, and nothing could be watched: give the addresses of \"kubectl get service,endpoints kubernetes\"" -}}
{{- end -}}
{{- include "spark-common.checkPeers" (dict "peers" $network.ingress.from "from" "network.ingress.from") -}}
{{- include "spark-common.checkPeers" (dict "peers" $network.egress.to "from" "network.egress.to") -}}
{{- end }}

{{- define "spark-ui-proxy.checkLogin" -}}
{{- if and .Values.login.audiences (ne .Values.rbac.reviews "cluster") -}}
{{- fail "login.audiences is set but rbac.reviews is namespace: only a TokenReview knows of audiences; set rbac.reviews to cluster" -}}
{{- end -}}
{{- if and (eq .Values.login.mode "header") (not (or .Values.login.header.secret.secretName .Values.tls.clientCA)) -}}
{{- fail "login.mode is header, and anybody could send such headers: name the Secret that the ingress shares with the proxy in login.header.secret.secretName, or the authority of its certificate in tls.clientCA" -}}
{{- end -}}
{{- if and .Values.tls.clientCA (or (ne .Values.login.mode "header") .Values.login.header.secret.secretName) -}}
{{- fail "tls.clientCA is set, but the ingress is not believed by its certificate: set login.mode to header and leave login.header.secret.secretName empty, or leave tls.clientCA empty" -}}
{{- end -}}
{{- if and .Values.tls.clientCA (not .Values.tls.secretName) -}}
{{- fail "tls.clientCA is set but tls.secretName is empty: clients show certificates in TLS alone; name the Secret with the pods' own" -}}
{{- end -}}
{{- end }}
