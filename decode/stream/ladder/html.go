package ladder

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"
	"time"
)

// The parts of the page.
var (
	//go:embed page/page.html
	pageHTML string
	//go:embed page/page.css
	pageCSS string
	//go:embed page/page.js
	pageJS string
)

// dataMark stands in the page where the data go.
const dataMark = "/*data*/"

// HTML writes the ladder as one page, which needs nothing else.
func (l *Ladder) HTML(w io.Writer) error {
	l.arrange()
	page := strings.NewReplacer(
		"{{title}}", html.EscapeString(l.Title), "/*style*/", pageCSS, "/*script*/", pageJS,
	).Replace(pageHTML)
	before, after, _ := strings.Cut(page, dataMark)
	if _, err := io.WriteString(w, before); err != nil {
		return err
	}
	if err := l.writeData(w); err != nil {
		return err
	}
	_, err := io.WriteString(w, after)
	return err
}

// pageData is what the page's script reads, but for the rows, which follow.
type pageData struct {
	Start     time.Time    `json:"start"`
	Members   []pageMember `json:"members"`
	Kinds     [][2]string  `json:"kinds"`     // name, colour
	Terms     [][2]uint64  `json:"terms"`     // row, term
	Leaders   [][3]uint64  `json:"leaders"`   // row, lane, term
	Elections [][4]any     `json:"elections"` // row, lane, term, Vote or PreVote
}

type pageMember struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// writeData writes the data as JSON, which has no < that could end the script's element.
func (l *Ladder) writeData(w io.Writer) error {
	data, kinds := l.pageData()
	head, err := json.Marshal(data)
	if err != nil {
		return err
	}
	// A row: µs since the start, from, to, kind, term, first and last index, the text. Terms and indexes beyond what a
	// number of the script can hold are text.
	b := append(head[:len(head)-1], `,"rows":[`...)
	for i := range l.rows {
		r := &l.rows[i]
		if i > 0 {
			b = append(b, ",\n"...)
		}
		b = fmt.Appendf(b, "[%d,%d,%d,%d,", r.time.Sub(data.Start).Microseconds(), r.from, r.to, kinds[r.kind])
		for _, n := range []uint64{r.term, r.first, r.last} {
			b = append(appendNumber(b, n), ',')
		}
		text, err := json.Marshal(r.text)
		if err != nil {
			return err
		}
		b = append(append(b, text...), ']')
		if len(b) >= 64<<10 {
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	_, err = w.Write(append(b, "]}"...))
	return err
}

// appendNumber appends a number of JSON, or a string where it is too large to be one.
func appendNumber(b []byte, n uint64) []byte {
	if n >= 1<<53 {
		return strconv.AppendQuote(b, strconv.FormatUint(n, 10))
	}
	return strconv.AppendUint(b, n, 10)
}

func (l *Ladder) pageData() (data pageData, kinds map[string]int) {
	data = pageData{
		Members: []pageMember{}, Kinds: [][2]string{}, Terms: [][2]uint64{}, Leaders: [][3]uint64{}, Elections: [][4]any{},
	}
	if len(l.rows) > 0 {
		data.Start = l.rows[0].time.UTC()
	}
	for _, lane := range l.lanes {
		data.Members = append(data.Members, pageMember{ID: strconv.FormatUint(lane.id, 16), Name: lane.label()})
	}
	kinds = map[string]int{}
	for i := range l.rows {
		kind := l.rows[i].kind
		if _, ok := kinds[kind]; !ok {
			kinds[kind] = len(data.Kinds)
			data.Kinds = append(data.Kinds, [2]string{kind, colour(kind)})
		}
	}
	for _, m := range l.marks.terms {
		data.Terms = append(data.Terms, [2]uint64{uint64(m.row), m.term})
	}
	for _, m := range l.marks.leaders {
		data.Leaders = append(data.Leaders, [3]uint64{uint64(m.row), uint64(m.lane), m.term})
	}
	for _, m := range l.marks.elections {
		data.Elections = append(data.Elections, [4]any{m.row, m.lane, m.term, m.kind})
	}
	return data, kinds
}
