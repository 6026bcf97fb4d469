package ladder

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// MaxSVG is how many events an SVG shows: a picture of them is as high as 30 pages.
const MaxSVG = 2000

// Sizes of the SVG, in pixels.
const (
	svgTimes  = 120 // the column of times
	svgLane   = 190 // from lane to lane
	svgRow    = 22
	svgHead   = 44
	svgText   = 7 // about the width of a character
	svgMargin = 24
)

// colours are those of kinds, by which the page has them too.
var colours = map[string]string{
	"App": "#2563c9", "AppResp": "#5b9bd5", "Heartbeat": "#8a8f98", "HeartbeatResp": "#b3b8c0",
	"Vote": "#d9480f", "VoteResp": "#f08c4a", "PreVote": "#b7791f", "PreVoteResp": "#d9a94f", "Snap": "#7c3aed",
	"Prop": "#2f855a", "ReadIndex": "#0e7490", "ReadIndexResp": "#4aa3b5", "TimeoutNow": "#c2255c",
	"TransferLeader": "#c2255c", "gap": "#c81e1e", "exchange": "#8b6b4a", "link heartbeat": "#c9ccd1",
}

func colour(kind string) string {
	if c, ok := colours[kind]; ok {
		return c
	}
	return "#555b66"
}

// SVG writes the ladder as a picture.
func (l *Ladder) SVG(w io.Writer) error {
	if err := l.fits(MaxSVG, "SVG"); err != nil {
		return err
	}
	l.arrange()
	out := bufio.NewWriter(w)
	right := svgLaneX(len(l.lanes) - 1)
	width, height := right+svgMargin+svgText*l.longest(), svgHead+svgRow*(len(l.rows)+1)
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="ui-monospace, monospace" font-size="11">`+"\n",
		width, height, width, height)
	fmt.Fprintf(out, "<title>%s</title>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", escape(l.Title), width, height)
	l.svgTerms(out, right, height)
	for i, lane := range l.lanes {
		x := svgLaneX(i)
		fmt.Fprintf(out, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="#9aa0aa"/>`+"\n", x, svgHead-10, x, height)
		fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="middle" font-weight="bold">%s</text>`+"\n", x, svgHead-18, escape(lane.label()))
	}
	notes := l.notes()
	for i := range l.rows {
		for _, n := range notes[i] {
			fmt.Fprintf(out, `<circle cx="%d" cy="%d" r="5" fill="#d9480f"><title>%s</title></circle>`+"\n",
				svgLaneX(n.lane), svgRowY(i), escape(l.lanes[n.lane].label()+" "+n.text))
		}
		l.svgArrow(out, i)
	}
	fmt.Fprintln(out, "</svg>")
	return out.Flush()
}

func svgLaneX(lane int) int { return svgTimes + svgLane/2 + svgLane*lane }
func svgRowY(row int) int   { return svgHead + svgRow/2 + svgRow*row }

// svgTerms writes the background: every second term has one.
func (l *Ladder) svgTerms(out io.Writer, right, height int) {
	for i, m := range l.marks.terms {
		top, bottom := svgRowY(m.row)-svgRow/2, height
		if i+1 < len(l.marks.terms) {
			bottom = svgRowY(l.marks.terms[i+1].row) - svgRow/2
		}
		fill := "#ffffff"
		if m.term%2 == 1 {
			fill = "#f1f4fa"
		}
		fmt.Fprintf(out, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`, svgTimes, top, right-svgTimes+svgMargin, bottom-top, fill)
		fmt.Fprintf(out, `<text x="%d" y="%d" fill="#667">term %d</text>`+"\n", svgTimes+4, top+12, m.term)
	}
}

// svgArrow writes a row: when, from where to where, and what is to be read about it beside the last lane.
func (l *Ladder) svgArrow(out io.Writer, i int) {
	r, y := &l.rows[i], svgRowY(i)
	from, to, c := svgLaneX(r.from), svgLaneX(r.to), colour(r.kind)
	tip := -6
	if from > to {
		tip = 6
	}
	fmt.Fprintf(out, `<text x="4" y="%d" fill="#667">%s</text>`, y+4, r.time.UTC().Format("15:04:05.000000"))
	fmt.Fprintf(out, `<path d="M%d %dH%dm%d -3L%d %dl%d 3" fill="none" stroke="%s" stroke-width="1.5"/>`, from, y, to, tip, to, y, tip, c)
	fmt.Fprintf(out, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", svgLaneX(len(l.lanes)-1)+svgMargin, y+4, c, escape(r.text))
}

// escape returns text as XML has it, without what it can't have.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}

// longest returns how many characters the longest text has.
func (l *Ladder) longest() (most int) {
	for i := range l.rows {
		most = max(most, utf8.RuneCountInString(l.rows[i].text))
	}
	return most
}
