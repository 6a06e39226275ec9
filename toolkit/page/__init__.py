"""One offline HTML page: template, data and scripts in, a self-contained safe file out.

Every report and map of the project is such a page. It opens from ``file://`` with the network
off; its own Content-Security-Policy forbids every request, admits scripts and styles by their
hash alone, and every text in it is escaped.

How to make a report with it
----------------------------
1. A template that extends ``page.html`` and fills its blocks, in the ``templates`` folder of
   your package (here ``toolkit/report/templates/fruit.html``)::

       {% extends "page.html" %}
       {% from "macros.html" import cards, bar, facts, sample %}
       {% block content %}
       {{ cards([("Texts", report.n | number, "all of them"), ("Share", 0.253 | percent, "")]) }}
       <section id="kinds"><h2>Kinds</h2>
         <div class="scroll"><table data-sortable>
           <caption>What was found</caption>
           <thead><tr><th scope="col">Kind</th><th scope="col" class="n">Count</th></tr></thead>
           <tbody>{% for name, count in report.kinds %}
             <tr><th scope="row"><bdi>{{ name }}</bdi></th>
                 <td class="n">{{ count | number }} {{ bar(count, report.n) }}</td></tr>
           {% endfor %}</tbody>
         </table></div>
         {% for text in report.texts %}{{ sample(text) }}{% endfor %}
       </section>
       {% endblock %}

2. A :class:`Report` whose ``build_html`` renders it (``to_html(path)``, ``_repr_html_``,
   ``to_markdown``, ``to_json`` come from the base class)::

       class FruitReport(Report):
           def build_html(self) -> str:
               page = Page("Fruit", subtitle="615 texts", template_package="toolkit.report")
               page.add_script(TABLE_SCRIPT)               # sortable tables, or your own code
               page.add_data("counts", {"apple": 3})       # JSON: pageData("counts") in a script
               map_html = page.add(self.map.fragment())    # somebody else's scripts and data
               return page.render("fruit.html", report=self, map=map_html)

Never write ``<script>``, ``<style>``, ``style="..."`` or ``onclick`` in a template: the policy
blocks them. Bars are SVG (the ``bar`` macro), pictures are ``data:`` addresses
(:func:`picture`), behaviour goes through :meth:`Page.add_script`.

Base classes of the style sheet: ``cards``, ``n`` (a number in a table), ``scroll`` (a wide table
scrolls in it on a phone), ``note`` (an aside), ``warn-box`` (something to doubt), ``sample`` (a
user's text), ``chips``, ``columns`` (two columns on a wide screen), ``muted``, ``small``,
``needs-js``, ``noprint``. Colours are custom properties: ``--ink``,
``--muted``, ``--paper``, ``--surface``, ``--line``, ``--accent``, ``--warn``.

Examples
--------
>>> page = Page("Tom & <Jerry>")
>>> html = page.render()
>>> "<title>Tom &amp; &lt;Jerry&gt;</title>" in html, "<script src" in html
(True, False)
"""

from __future__ import annotations

from toolkit.page.document import TABLE_SCRIPT, Fragment, Page
from toolkit.page.files import write_text_atomic
from toolkit.page.markdown import escape_markdown, markdown_table
from toolkit.page.pictures import picture
from toolkit.page.report import Report
from toolkit.page.safe_json import dump_json, embed_json

__all__ = [
    "TABLE_SCRIPT",
    "Fragment",
    "Page",
    "Report",
    "dump_json",
    "embed_json",
    "escape_markdown",
    "markdown_table",
    "picture",
    "write_text_atomic",
]
