import { escaped, markup, raw, withOptions } from '../../../../lib/health/report/html';

describe('text in a page', () => {
	it('is escaped, and HTML of ours is not', () => {
		expect(markup`<p class="${'a"b'}">${'<b>'} & ${raw('<i>')}</p>`.text).toBe(
			'<p class="a&quot;b">&lt;b&gt; & <i></p>',
		);
		expect(escaped(`<>&"'`)).toBe('&lt;&gt;&amp;&quot;&#39;');
	});

	it('lists are joined; nothing is nothing, and zero is a number', () => {
		expect(markup`${[markup`<b>${1}</b>`, ' ', 'x<']}${null}${undefined}${false}${0}`.text).toBe(
			'<b>1</b> x&lt;0',
		);
	});

	it('bidirectional controls and invalid characters are removed', () => {
		expect(escaped('a\u202eb\u0000c\u2066d\ufffee\tf')).toBe('abcde\tf');
		expect(escaped('\ud800x😀')).toBe('\ufffdx😀');
	});

	it('shows options of a command line as code, and escapes them as all else', () => {
		expect(withOptions('Start it with --ctx-size 16384 (-np 4).').text).toBe(
			'Start it with <code>--ctx-size</code> 16384 (<code>-np</code> 4).',
		);
		expect(withOptions('no-slot, a - b, --<script>').text).toBe('no-slot, a - b, --&lt;script&gt;');
	});
});
