{{/*
What an application needs besides itself: files, jars, Python and Maven coordinates of .Values.app. Call with the root.

  spark-job.addresses          where the application and its dependencies are, JSON: a map of names in values, "app.jars", to lists
  spark-job.fetched            those that Spark fetches, with the values that name them, JSON, for the chart's programs
  spark-job.submitterOpensStores  "true" if cluster mode's submitter looks into a file system at an address: spark-submit does so for
                               patterns, in all but HTTP and what is in the image
  spark-job.submitterHadoopEnv  variables by which it finds and enters the team's HDFS; call with .Values.global
  spark-job.dependencyConf     Spark configuration of them, a map
  spark-job.sent               files or archives of the image and of volumes: the driver sends them to executors, to which Spark itself
                               gives nothing of local://; call with a dict: root, list ("files" or "archives")
  spark-job.driverOptions      options of the driver's JVM in cluster mode: the same, since in the properties file file:// means files of
                               the submitter's pod, and of a driver without executors its id
  spark-job.ivyVolume, spark-job.ivyMount
                               the Secret with the Maven repositories where there are coordinates, of a pod and its container
  spark-job.roleEnv            env of a role, with the Python files of the image and of volumes on the PYTHONPATH, JSON: Spark itself
                               gives them to drivers alone; call with a dict: root, role
  spark-job.local, spark-job.remote  those of some addresses that are in the image or a volume, and the others, JSON; call with a list
  spark-job.checkDependencies  refuses secrets in addresses, and files of the submitter's pod
*/}}

{{- define "spark-job.addresses" -}}
{{- $all := dict "app.file" (compact (list .Values.app.file)) -}}
{{- range $list := list "jars" "files" "pyFiles" "archives" "repositories" -}}
{{- $_ := set $all (printf "app.%s" $list) (get $.Values.app $list) -}}
{{- end -}}
{{- toJson $all -}}
{{- end }}

{{- define "spark-job.fetched" -}}
{{- $fetched := dict -}}
{{- range $from, $addresses := include "spark-job.addresses" . | fromJson -}}
{{- with include "spark-job.remote" $addresses | fromJsonArray -}}
{{- $_ := set $fetched $from . -}}
{{- end -}}
{{- end -}}
{{- toJson $fetched -}}
{{- end }}

{{- define "spark-job.submitterOpensStores" -}}
{{- $opened := list -}}
{{- range $from, $addresses := include "spark-job.addresses" . | fromJson -}}
{{- range $addresses -}}
{{- if and (ne $from "app.repositories") (contains "://" .) (not (regexMatch "^(local|https?|ftp|file):" .)) -}}
{{- $opened = append $opened . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- not (empty $opened) -}}
{{- end }}

{{- define "spark-job.submitterHadoopEnv" -}}
{{- if include "spark-common.hadoopConfigMap" . }}
# On the class path like HADOOP_CONF_DIR, for which Spark would make a ConfigMap that drivers have already.
- name: YARN_CONF_DIR
  value: /etc/hadoop/conf
{{- end }}
{{- if include "spark-common.krb5ConfigMap" . }}
- name: KRB5_CONFIG
  value: /etc/krb5/krb5.conf
{{- end }}
{{- include "spark-common.keytabEnv" . }}
{{- end }}

{{- define "spark-job.dependencyConf" -}}
{{- with include "spark-job.remote" .Values.app.pyFiles | fromJsonArray }}
spark.submit.pyFiles: {{ join "," . | quote }}
{{- end }}
{{- range $key, $list := dict "spark.jars" "jars" "spark.jars.packages" "packages" "spark.jars.repositories" "repositories" }}
{{- with get $.Values.app $list }}
{{ $key }}: {{ join "," . | quote }}
{{- end }}
{{- end }}
{{- range $list := list "files" "archives" }}
{{- $sent := include "spark-job.sent" (dict "root" $ "list" $list) }}
{{- if and (get $.Values.app $list) (not (and $sent (eq $.Values.mode "cluster"))) }}
spark.{{ $list }}: {{ $sent | default (get $.Values.app $list | join ",") | quote }}
{{- end }}
{{- end }}
{{- if include "spark-job.ivyMount" . }}
spark.jars.ivySettings: /etc/spark-ivy/ivysettings.xml
{{- end }}
{{- end }}

{{- define "spark-job.sent" -}}
{{- $given := get .root.Values.app .list -}}
{{- if ne (include "spark-job.local" $given) "[]" -}}
{{- regexReplaceAll "(^|,)local:" (join "," $given) "${1}file:" -}}
{{- end -}}
{{- end }}

{{- define "spark-job.driverOptions" -}}
{{- $options := list -}}
{{- if include "spark-common.runsAlone" . -}}
{{- $options = append $options "-Dspark.test.appId=$(KINDLING_APP_ID)" -}}
{{- end -}}
{{- range $list := list "files" "archives" -}}
{{- with include "spark-job.sent" (dict "root" $ "list" $list) -}}
{{- $options = append $options (printf "-Dspark.%s=%s" $list .) -}}
{{- end -}}
{{- end -}}
{{- join " " $options -}}
{{- end }}

{{- define "spark-job.ivyVolume" -}}
{{- if include "spark-job.ivyMount" . }}
- name: ivy-settings
  secret:
    secretName: {{ .Values.global.ivySettings.name | quote }}
    # 0440: the pod's fsGroup reads it.
    defaultMode: 288
    items:
      - { key: {{ .Values.global.ivySettings.key | quote }}, path: ivysettings.xml }
{{- end }}
{{- end }}

{{- define "spark-job.ivyMount" -}}
{{- if and .Values.global.ivySettings.name .Values.app.packages }}
- name: ivy-settings
  mountPath: /etc/spark-ivy
  readOnly: true
{{- end }}
{{- end }}

{{- define "spark-job.roleEnv" -}}
{{- $env := deepCopy (get .root.Values .role).env -}}
{{- $places := list -}}
{{- range include "spark-job.local" .root.Values.app.pyFiles | fromJsonArray -}}
{{- $path := regexReplaceAll "^local:(//)?" . "" -}}
{{- $places = append $places (hasSuffix ".py" $path | ternary (dir $path) $path) -}}
{{- end -}}
{{- if and $places (not (kindIs "map" $env.PYTHONPATH)) -}}
{{- $_ := append (uniq $places) ($env.PYTHONPATH | default "") | compact | join ":" | set $env "PYTHONPATH" -}}
{{- end -}}
{{- toJson $env -}}
{{- end }}

{{- define "spark-job.local" -}}
{{- $found := list -}}
{{- range . -}}
{{- if hasPrefix "local:" . -}}
{{- $found = append $found . -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end }}

{{- define "spark-job.remote" -}}
{{- $found := list -}}
{{- range . -}}
{{- if not (hasPrefix "local:" .) -}}
{{- $found = append $found . -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end }}

{{- define "spark-job.checkDependencies" -}}
{{- range $from, $addresses := include "spark-job.addresses" . | fromJson -}}
{{- range $addresses -}}
{{- if regexMatch "^[^/?#]+://[^/?#@]*:[^/?#@]*@" . -}}
{{- fail (printf "%s has a password in an address of %s, and a secret never stands in values: put it into ivysettings.xml (global.ivySettings) for Maven coordinates, or fetch the file in driver.initContainers with a Secret" $from (regexFind "[^@]*$" . | splitList "/" | first)) -}}
{{- end -}}
{{- if regexMatch "(?i)[?&](x-amz-signature|signature|sig|access_token|token|password)=" . -}}
{{- fail (printf "%s has a secret in the query of %s, and a secret never stands in values: leave the query out and give the pods rights by global.s3.secret, or fetch the file in driver.initContainers with a Secret" $from (splitList "?" . | first)) -}}
{{- end -}}
{{- if and (eq $.Values.mode "cluster") (ne $from "app.repositories") (regexMatch "^(file:)?/" .) -}}
{{- fail (printf "%s is %q, a file of the submitter's pod: write local://%s if it is in the image or a volume" $from . (trimPrefix "file://" .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $app := .Values.app -}}
{{- range $list, $given := dict "files" (concat $app.files $app.pyFiles) "archives" $app.archives -}}
{{- $remote := include "spark-job.remote" $given | fromJsonArray -}}
{{- $local := include "spark-job.local" (get $app $list) | fromJsonArray -}}
{{- if and (eq $.Values.mode "cluster") $remote $local -}}
{{- fail (printf "app.%s lists %s and, elsewhere, %s is listed, which cluster mode cannot give to executors together: put all in one place, or set mode to client" $list (first $local) (first $remote)) -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.mode "cluster") (eq (include "spark-job.submitterOpensStores" .) "true") -}}
{{- range $name, $given := dict "ticketCache" .Values.global.kerberos.ticketCache "tokens.name" .Values.global.kerberos.tokens.name -}}
{{- if $given -}}
{{- fail (printf "global.kerberos.%s is %q, which only drivers have, and cluster mode's submitter looks at what app.* names in a file system: set mode to client, or log in by global.kerberos.keytab" $name $given) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $from, $conf := dict "sparkConf" .Values.sparkConf "global.sparkConf" .Values.global.sparkConf -}}
{{- if and $.Values.app.packages $.Values.global.ivySettings.name (hasKey $conf "spark.jars.ivySettings") -}}
{{- fail (printf "%s sets spark.jars.ivySettings, and global.ivySettings.name is %q, which says where to look: leave one of them out" $from $.Values.global.ivySettings.name) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.app.packages .Values.global.ivySettings.name .Values.app.repositories -}}
{{- fail (printf "app.repositories is set, and global.ivySettings.name is %q, which says where to look: leave app.repositories out, and add them to that Secret" .Values.global.ivySettings.name) -}}
{{- end -}}
{{- end }}
