// What the page looks like: on a telephone, on a wide screen, in the dark, on paper, and where the keyboard
// is.

#include "judge/html_style.hpp"

namespace halfopen::judge {

const char* page_style() noexcept {
  return R"(
:root{color-scheme:light dark;--line:#8886;--dim:#6b6b6b;--pass:#1a7f37;--warn:#8a6100;--fail:#c62828;--inconclusive:#7b4fb5;--link:#0b57d0}
@media screen and (prefers-color-scheme:dark){:root{--link:#a8c7fa;--dim:#a3a3a3;--pass:#4ac26b;--warn:#e3b341;--fail:#ff7b72;--inconclusive:#c297ff}}
*{box-sizing:border-box}
body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:84rem}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{margin:0}.skip a{position:absolute;left:-99rem}.skip a:focus{position:static}
.what,.score{margin:.3rem 0}p.score{font-size:1.2rem}.score span{white-space:nowrap;margin-right:.6rem}
table.scores{width:auto}table.scores th[scope=row]{overflow-wrap:anywhere;min-width:8rem}
.worst{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:.6rem;align-items:start}
.worst details{margin:0;min-width:0}.happened{margin:.4rem 0;overflow-wrap:anywhere}.outlook{margin:.2rem 0;font-weight:700}
.whose{font-weight:600;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:.2em 0}h2{font-size:1.2rem;margin:1.2em 0 .5em;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top}
th{font-weight:600}th.pair{min-width:6rem;max-width:14rem;overflow-wrap:anywhere;font-size:.85rem}
tr.family th{padding-top:.9rem;border-bottom-width:2px}tr.family span{position:sticky;left:.5rem}
th.case{font-weight:400;min-width:9rem;position:sticky;left:0;background:Canvas;overflow-wrap:break-word}
td.v{white-space:nowrap;width:1%}
.who,.dim{color:var(--dim);font-size:.85rem}
.pass{color:var(--pass)}.warn{color:var(--warn)}.fail{color:var(--fail);font-weight:700}
.inconclusive{color:var(--inconclusive)}.not-applicable{color:var(--dim)}
details{border:1px solid var(--line);border-radius:.4rem;margin:.5rem 0;padding:.4rem .6rem}
details.is-fail{border-left:.3rem solid var(--fail)}
details:target{outline:2px solid var(--inconclusive)}
p.interrupted{border:2px solid var(--fail);border-radius:.4rem;padding:.4rem .7rem;font-weight:600;overflow-wrap:anywhere}
summary{cursor:pointer;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:6rem minmax(0,1fr);gap:.25rem .8rem;margin:.6rem 0}
dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
dd.change{font-weight:600}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--line);border-radius:.3rem;padding:.5rem;margin:.4rem 0;max-height:24rem;overflow-y:auto;font-size:.85rem}
p.whose{margin:.6rem 0 0;color:var(--dim);font-weight:400}
.ladder-box{overflow-x:auto;border:1px solid var(--line);border-radius:.3rem;padding:.2rem;margin:.4rem 0}
.timeline-box{border:1px solid var(--line);border-radius:.3rem;padding:.4rem 0;margin:.4rem 0}
table.looks{margin:.4rem 0}table.looks th,table.looks td.v{width:1%;white-space:nowrap;padding-right:1rem}
.ladder-box svg{display:block;margin:0 auto}
code{overflow-wrap:anywhere;user-select:all}
@media(max-width:40rem){table.scores tr:first-child{display:none}table.scores tr{display:block;border-bottom:1px solid var(--line);padding:.3rem 0}table.scores th,table.scores td{display:block;border:0;padding:.1rem 0}body{padding:.5rem;font-size:15px}details{padding:.4rem .5rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}}
@media print{
.skip{display:none}.scroll{overflow:visible}.worst{display:block}th.case{position:static}
body{font-size:10pt;max-width:none}pre{max-height:none}a{color:inherit;text-decoration:none}
details::details-content{content-visibility:visible;display:block;block-size:auto}
summary,tr,dl,.timeline-box{break-inside:avoid}.ladder-box{overflow:visible;border:0;padding:0}.ladder-box svg{display:inline}summary{break-after:avoid}h2{break-after:avoid}
}
)";
}

}  // namespace halfopen::judge
