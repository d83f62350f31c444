import { joinSplitSegments, joinSplitText } from '../../../lib/tasks/split-text';
import { parseTranscript } from '../../../lib/tasks/transcribe';

test.each([
	[' Das Gerät zu sch\nalten.\n', ' Das Gerät zu schalten.\n'],
	[' Wir fah\nren nach Mün\nchen.\n', ' Wir fahren nach München.\n'],
	[' inter\nnational\n trade', ' international\n trade'],
	[' dé\nçu\n', ' déçu\n'],
])('%j', (broken, joined) => {
	expect(joinSplitText(broken)).toBe(joined);
	expect(parseTranscript(JSON.stringify({ text: broken }), 'json')?.text).toBe(joined.trim());
});

test.each([
	' Hello\n there\n',
	'roses are red\nviolets are blue',
	' 你好\n世界\n',
	' 5\nmeters\n',
	' One.\ntwo\n',
	' Anna\nBerta\n',
	' a single line',
	'',
])('%j stays', (text) => {
	expect(joinSplitText(text)).toBe(text);
});

test('segments', () => {
	const segments = [' zu sch', 'alten, bitte', ' Danke.'].map((text, id) => ({ id, text }));
	expect(joinSplitSegments(segments)).toEqual([
		{ id: 0, text: ' zu schalten,' },
		{ id: 1, text: ' bitte' },
		{ id: 2, text: ' Danke.' },
	]);
	const others = ['roses', 'are', 'red'].map((text) => ({ text }));
	expect(joinSplitSegments(others)).toEqual(others);
});
