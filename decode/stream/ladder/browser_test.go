package ladder

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/raftctl/raftctl/raftpb"
)

// long is a ladder of 100,000 messages, in which member 2 takes over from member 1 in the middle.
func long() *Ladder {
	l := &Ladder{Title: "long"}
	const n = 100_000
	for i := range n / 2 {
		leader, other, term := uint64(1), uint64(2+i%2), uint64(3)
		if i >= n/4 {
			leader, other, term = 2, uint64(1+2*(i%2)), 4
		}
		index := uint64(i)
		if i == n/4 {
			l.Add(said(2*i, raftpb.Message{Type: raftpb.MsgVote, From: 2, To: 3, Term: 4, Index: index}), "Vote term 4")
			l.Add(said(2*i, raftpb.Message{Type: raftpb.MsgVoteResp, From: 3, To: 2, Term: 4}), "VoteResp term 4")
			continue
		}
		m := raftpb.Message{Type: raftpb.MsgApp, From: leader, To: other, Term: term, Index: index}
		l.Add(said(2*i, m), fmt.Sprintf("App %d/%d", term, index))
		m = raftpb.Message{Type: raftpb.MsgAppResp, From: other, To: leader, Term: term, Index: index}
		l.Add(said(2*i+1, m), fmt.Sprintf("AppResp term %d index %d", term, index))
	}
	for id := uint64(1); id <= 3; id++ {
		l.Name(id, fmt.Sprintf("m%d", id))
	}
	return l
}

// tab is a page in Chromium.
type tab struct {
	*testing.T
	ctx context.Context
}

// browse starts Chromium, headless, with a page of l open.
func browse(t *testing.T, l *Ladder, fragment string) tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ladder.html")
	f, err := os.Create(file)
	if err == nil {
		err = l.HTML(f)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.WindowSize(1400, 900),
		chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("file://"+file+fragment)); err != nil {
		t.Fatalf("`make debian` installs Chromium: %v", err)
	}
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	return tab{t, ctx}
}

// do does something, and waits until a frame was drawn.
func (b tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	steps = append(steps, chromedp.Evaluate[chromedp.Void](
		`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))`, chromedp.EvalAwaitPromise))
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

// get returns what an action finds.
func get[T any](b tab, a chromedp.Action[T]) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, a)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// says checks what is to be read in an element.
func (b tab) says(id chromedp.ID, want string) {
	b.Helper()
	if got := get(b, chromedp.Text(id)); !strings.Contains(got, want) {
		b.Errorf("%s says %q, want %q in it", id, got, want)
	}
}

func key(k string) chromedp.Action[chromedp.Void] { return chromedp.KeyEvent(k) }

// TestBrowser clicks, types and looks.
func TestBrowser(t *testing.T) {
	b := browse(t, long(), "")
	b.do(chromedp.WaitVisible(chromedp.ID("ladder")))
	b.says("status", "100000 events")
	before := b.screenshot()
	if n := colourful(before); n < 1000 {
		t.Errorf("%d pixels of arrows, want more", n)
	}
	top := get(b, chromedp.Evaluate[float64](`canvas.getBoundingClientRect().top + HEAD`))
	b.do(chromedp.MouseClickXY(500, top+3.5*20)) // the fourth row
	b.says("detail", "AppResp m3→m1")
	b.says("detail", "AppResp term 3 index 1")
	if where := get(b, chromedp.Location()); !strings.HasSuffix(where, ".html#m=4") {
		t.Errorf("the address is %s", where)
	}
	if !differ(before, b.screenshot()) {
		t.Error("nothing changed on the screen")
	}
	b.do(key(kb.ArrowDown))
	b.says("detail", "App m1→m2")
	b.do(key("n"))
	b.says("detail", "Vote m2→m3")
	b.do(chromedp.SendKeys(chromedp.ID("index"), "40000..40009"))
	b.says("status", "20 of 100000 events")
	b.do(chromedp.SendKeys(chromedp.ID("text"), "appresp"))
	b.says("status", "10 of 100000 events")
	b.do(chromedp.SendKeys(chromedp.ID("text"), "nothing"))
	b.says("status", "0 of 100000 events")
	b.do(chromedp.Evaluate[chromedp.Void](`byId("index").value = byId("text").value = ""; applyFilters()`),
		chromedp.Click(chromedp.CSS("#kinds button:first-child"))) // App
	b.says("status", "50001 of 100000 events")
	b.do(chromedp.Click(chromedp.ID("fit")))
	if n := colourful(b.screenshot()); n < 10_000 {
		t.Errorf("%d pixels of 50,001 arrows, want more", n)
	}
}

// TestBrowserLink opens a link to a moment, in the dark, and prints it.
func TestBrowserLink(t *testing.T) {
	b := browse(t, long(), "#m=50001")
	b.do(func(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
		_, err = cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
		})
		return none, err
	})
	b.says("detail", "Vote m2→m3")
	if c := color.GrayModel.Convert(b.screenshot().At(700, 880)).(color.Gray); c.Y > 80 {
		t.Errorf("the background has a brightness of %d, want a dark one", c.Y)
	}
	if pdf := get(b, chromedp.PrintToPDF()); !bytes.HasPrefix(pdf, []byte("%PDF-")) || len(pdf) < 10_000 {
		t.Errorf("printed %d bytes", len(pdf))
	}
}

func (b tab) screenshot() image.Image {
	b.Helper()
	shot := get(b, chromedp.CaptureScreenshot())
	if dir := os.Getenv("RAFTCTL_SCREENSHOTS"); dir != "" { // to look at
		name := filepath.Join(dir, fmt.Sprintf("%s-%d.png", b.Name(), time.Now().UnixMilli()))
		if err := os.WriteFile(name, shot, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		b.Fatal(err)
	}
	return img
}

// colourful counts the pixels of the lower part that are no shade of grey.
func colourful(img image.Image) (n int) {
	b := img.Bounds()
	for y := b.Min.Y + 200; y < b.Max.Y-40; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			if max(r, g, bl)-min(r, g, bl) > 0x4000 {
				n++
			}
		}
	}
	return n
}

func differ(a, b image.Image) bool {
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if a.At(x, y) != b.At(x, y) {
				return true
			}
		}
	}
	return false
}
