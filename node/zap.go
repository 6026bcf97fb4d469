package node

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// zapLogger returns a logger for etcd's packages that writes to ours.
func zapLogger(log *slog.Logger) *zap.Logger { return zap.New(&bridge{log: log}) }

// bridge is where etcd's packages log to.
type bridge struct{ log *slog.Logger }

// levels are those of slog by those of zap. What zap has above an error ends a process there, and is for
// whoever made the logger to handle.
func level(l zapcore.Level) slog.Level {
	switch {
	case l < zapcore.InfoLevel:
		return slog.LevelDebug
	case l == zapcore.InfoLevel:
		return slog.LevelInfo
	case l == zapcore.WarnLevel:
		return slog.LevelWarn
	default:
		return slog.LevelError
	}
}

// Enabled implements zapcore.Core.
func (b *bridge) Enabled(l zapcore.Level) bool { return b.log.Enabled(context.Background(), level(l)) }

// With implements zapcore.Core.
func (b *bridge) With(fields []zapcore.Field) zapcore.Core {
	return &bridge{log: slog.New(b.log.Handler().WithAttrs(attrs(fields)))}
}

// Check implements zapcore.Core.
func (b *bridge) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if b.Enabled(e.Level) {
		return c.AddCore(e, b)
	}
	return c
}

// Write implements zapcore.Core.
func (b *bridge) Write(e zapcore.Entry, fields []zapcore.Field) error {
	r := slog.NewRecord(e.Time, level(e.Level), e.Message, e.Caller.PC)
	r.AddAttrs(attrs(fields)...)
	return b.log.Handler().Handle(context.Background(), r)
}

// Sync implements zapcore.Core.
func (b *bridge) Sync() error { return nil }

func attrs(fields []zapcore.Field) (list []slog.Attr) {
	into := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(into)
		if v, ok := into.Fields[f.Key]; ok {
			list = append(list, slog.Any(f.Key, v))
		}
	}
	return list
}
