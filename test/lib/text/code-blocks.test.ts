/** What counts as code or a quotation in texts of Markdown and HTML. */
import path from 'node:path';
import {
	blankOutCode,
	blankOutQuotedLines,
	findCodeContents,
	isInFence,
	isInOpenElement,
	unwrapCodeBlock,
	withoutOuterFence,
} from '../../../lib/text/code-blocks';
import { applyToTexts, expectApproved } from '../../support/approved/approved-table';

const TEXTS = [
	'plain text',
	'a `b` c',
	'a ``b ` c`` d',
	'a `b\nc` d',
	'a `b\n\nc` d',
	'a `b',
	'```\na\n```',
	'```json\n{"a":1}\n```',
	'```json\n{"a":1}',
	'```json{"a":1}```',
	'~~~\na\n~~~',
	'~~~xml\n<a>\n```\n~~~',
	'````\n```\na\n```\n````',
	'```js\na\n```',
	'b\n```\na\n```\nc',
	'```\na\n```\nb\n```\nc\n```',
	'```\na',
	'   ```\na\n   ```',
	'    ```\na\n    ```',
	'a ```b``` c',
	'a ```\nb\n``` c',
	'```tool_call\na\n```',
	'```python title="x"\na\n```',
	'<code>a</code> b',
	'<pre>a</pre><pre class="x">b</pre>',
	'<code>a <pre>b</pre> c</code> d',
	'<code>a',
	'<CODE>a</CODE>',
	'> a\nb',
	'>a\n> b\n\nc',
	'- a\n- b\nc',
	'- a\n  b\nc',
	'- a\n\n  b\n\nc',
	'1. a\n2. b',
	'1) a',
	'* a',
	'+ a',
	'-a',
	'| a | b |\n|---|---|\n| c | d |',
	'    a\nb',
	'\ta\nb',
	'    a\n    b',
	'        a\n    b',
	'a\n\n    b\nc',
	'# a',
	'a <!--',
	'a \\',
	'a <blockquote>',
	'a <q cite="x">',
	'a <div>',
	'a <tool_response>',
	'a <summary> b',
];

test('each text has its code and its quotations', () => {
	const functions = {
		isInFence: (text: string) => isInFence(text, text.length),
		isInOpenElement: (text: string) => isInOpenElement(text, text.length),
		blankOutCode,
		blankOutQuotedLines,
		findCodeContents,
		withoutOuterFence,
		unwrapCodeBlock,
	};
	expectApproved(
		path.join(__dirname, 'code-blocks.approved.txt'),
		applyToTexts(functions, TEXTS),
		'A call in code or a quotation is no call',
	);
});

test.each([
	{ length: 2_000, isCode: true },
	{ length: 2_001, isCode: false },
])('a span of $length characters in backticks is code: $isCode', ({ length, isCode }) => {
	const span = `\`${'b'.repeat(length - 2)}\``;
	expect(blankOutCode(`a ${span} c`) === `a ${' '.repeat(length)} c`).toBe(isCode);
});
