package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
)

// A Branch is a part of a template that a render takes or does not take.
type Branch struct {
	// Template is "CHART/templates/FILE": a subchart's are those of its own name, whoever depends on it.
	Template string `json:"template"`
	// Line is that of the action that leads to it, from 1.
	Line int `json:"line"`
	// Text says which part: `file`, `define "x"`, `if .Values.x`, `else if .Values.y`, `else of if .Values.x`.
	Text string `json:"text"`
}

// The API version that an inserted lookup asks for.
const counterVersion = "chartproof"

// A block is an action that waits for its end.
type block struct {
	text      string
	line      int
	branching bool // if, with, range
	hasElse   bool
}

var (
	actions    = regexp.MustCompile("(?s)\\{\\{(?:-?\\s*/\\*.*?\\*/\\s*-?|(?:\"(?:\\\\.|[^\"\\\\])*\"|`[^`]*`|'(?:\\\\.|[^'\\\\])*'|[^\"`'])*?)\\}\\}")
	whitespace = regexp.MustCompile(`\s+`)
	keyword    = regexp.MustCompile(`^[a-z]+`) // "if(eq .a 1)" and "if.a" need no space
)

// An instrumenter knows the templates that it put counters into: the next render asks for most of them again.
type instrumenter map[template]instrumented

// A template and the number of its first counter.
type template struct {
	name, source string
	first        int
}

type instrumented struct {
	text     string
	branches []Branch
}

// chart puts a counter into every branch of a chart's templates and of its dependencies'; it returns the branches with
// those given: a counter's number is the index there.
//
// A counter is a lookup: the one function of helm's templates that asks something outside. It keeps all lines, prints
// nothing, and declares no variable: that would hide the template's own one of that name.
func (known instrumenter) chart(c *chart.Chart, branches []Branch) []Branch {
	for _, file := range c.Templates {
		t := template{path.Join(c.Name(), file.Name), string(file.Data), len(branches)}
		done, ok := known[t]
		if !ok {
			done = instrument(t)
			known[t] = done
		}
		file.Data = []byte(done.text)
		branches = append(branches, done.branches...)
	}
	for _, dependency := range c.Dependencies() {
		branches = known.chart(dependency, branches)
	}
	return branches
}

func instrument(t template) instrumented {
	source := t.source
	var out strings.Builder
	var open []block
	var branches []Branch
	count := func(line int, text string, trim bool) {
		right := "}}"
		if trim {
			right = "-}}"
		}
		fmt.Fprintf(&out, `{{ with lookup %q "%d" "" "x" }}{{ end %s`, counterVersion, t.first+len(branches), right)
		branches = append(branches, Branch{t.name, line, text})
	}
	if !strings.HasPrefix(path.Base(t.name), "_") {
		count(1, "file", false)
	}
	copied := 0
	spans := actions.FindAllStringIndex(source, -1)
	for i, span := range spans {
		out.WriteString(source[copied:span[0]])
		copied = span[1]
		whole := source[span[0]:span[1]]
		line := 1 + strings.Count(source[:span[0]], "\n")
		trimLeft, trimRight := strings.HasPrefix(whole, "{{-"), strings.HasSuffix(whole, "-}}")
		text := textOf(whole)
		word := keyword.FindString(text)
		if word == "end" && len(open) > 0 {
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if last.branching && !last.hasElse {
				if trimLeft {
					out.WriteString("{{- else }}")
				} else {
					out.WriteString("{{ else }}")
				}
				count(last.line, "else of "+last.text, false)
			}
		}
		out.WriteString(whole)
		switch word {
		case "if", "with", "range":
			open = append(open, block{text: text, line: line, branching: true})
			count(line, text, trimRight)
		case "define", "block":
			open = append(open, block{text: text, line: line})
			if !isEmpty(source, spans[i:]) {
				count(line, text, trimRight)
			}
		case "else":
			if len(open) == 0 {
				break // no template: helm will say so
			}
			last := &open[len(open)-1]
			if text == "else" {
				last.hasElse = true
				count(line, "else of "+last.text, trimRight)
			} else {
				count(line, text, trimRight)
			}
		}
	}
	out.WriteString(source[copied:])
	return instrumented{out.String(), branches}
}

// textOf says what an action does, in one line.
func textOf(action string) string {
	inner := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(action, "{{"), "}}"), "-"), "-")
	return whitespace.ReplaceAllString(strings.TrimSpace(inner), " ")
}

// isEmpty says whether a definition, the first of the spans, has nothing but whitespace and comments until its end. Such a
// one does not replace another of its name, which one with a counter would.
func isEmpty(source string, spans [][]int) bool {
	for i := 1; i < len(spans); i++ {
		if strings.TrimSpace(source[spans[i-1][1]:spans[i][0]]) != "" {
			return false
		}
		text := textOf(source[spans[i][0]:spans[i][1]])
		if !strings.HasPrefix(text, "/*") {
			return keyword.FindString(text) == "end"
		}
	}
	return false
}
