/** Style of a report: system fonts, dark mode as the reader's system, black on white in print. */
export const STYLE = `
:root{color-scheme:light dark;--text:#1c2430;--soft:#5a6675;--page:#f4f6f8;--card:#fff;--edge:#d9dfe6;--good:#14773d;--bad:#b3261e;--warn:#8a5a00;--info:#2458a6;--one:#2458a6}
@media (prefers-color-scheme:dark){:root{--text:#e6eaf0;--soft:#9aa7b6;--page:#14181d;--card:#1d2329;--edge:#343d47;--good:#5ccf8b;--bad:#ff8a80;--warn:#f0b95a;--info:#8ab4f8;--one:#8ab4f8}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","PingFang SC","Microsoft YaHei",sans-serif;overflow-wrap:anywhere}
main{max-width:860px;margin:0 auto;padding:24px 16px 40px}
h1{font-size:24px;line-height:1.25;margin:0 0 4px}
h2{font-size:18px;margin:0 0 8px}
h3{font-size:15px;margin:18px 0 6px}
p{margin:4px 0}
.soft{color:var(--soft)}
section{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:16px 18px;margin:16px 0}
.badge{display:inline-block;border:1px solid;border-radius:999px;padding:0 10px;font-weight:600;font-size:13px;vertical-align:middle}
.healthy{color:var(--good)}.degraded,.loading,.warning{color:var(--warn)}.unreachable,.unauthorized,.misconfigured,.error{color:var(--bad)}.info{color:var(--info)}
.facts{display:flex;flex-wrap:wrap;gap:6px 28px;margin:10px 0 0;padding:0}
.facts div{min-width:90px}
dt{color:var(--soft);font-size:13px}
dd{margin:0;font-weight:600}
.finding{border-left:4px solid;padding:2px 0 2px 12px;margin:12px 0}
.finding p{color:var(--text)}
.finding .soft{color:var(--soft);font-size:13px}
table{border-collapse:collapse;width:100%;font-size:14px}
.small{font-size:13px}
th,td{text-align:left;padding:5px 10px 5px 0;border-bottom:1px solid var(--edge);vertical-align:top}
th{color:var(--soft);font-weight:600;font-size:13px}
th{overflow-wrap:normal}td{font-variant-numeric:tabular-nums}
figure{margin:14px 0 0}
figcaption{font-weight:600;font-size:14px}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--soft);font-size:12px}
@media (max-width:520px){svg text{font-size:18px}main{padding:16px 8px}section{padding:12px}th{display:none}table,tbody,td{display:block}tr{display:flex;flex-wrap:wrap;gap:0 16px;border-bottom:1px solid var(--edge);padding:6px 0}td{border:0;padding:1px 0}td:before{content:attr(data-name) ": ";color:var(--soft)}td:empty{display:none}}
svg .y{text-anchor:end}svg .x{text-anchor:middle}
svg .grid{stroke:var(--edge);fill:none}
svg .line{fill:none;stroke-width:2.5;stroke-linejoin:round;stroke-linecap:round}
svg .line{stroke:var(--one)}
svg circle{fill:var(--one)}
@media print{:root{color-scheme:light;--text:#000;--soft:#444;--page:#fff;--card:#fff;--edge:#bbb;--good:#14773d;--bad:#b3261e;--warn:#8a5a00;--info:#2458a6;--one:#2458a6}
body{font-size:11pt}main{max-width:none;padding:0}section{border:0;border-top:1px solid var(--edge);border-radius:0;padding:10px 0;margin:10px 0}
.finding,figure,tr{break-inside:avoid}h2,h3{break-after:avoid}}
`.trim();
