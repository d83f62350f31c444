import fc from 'fast-check';

import { cutAt, StopTexts } from '../../../lib/langchain/stop-texts';

/** What comes out of a text in these pieces, all together. */
function read(
	pieces: readonly string[],
	stops?: readonly string[],
): { text: string; stopped: boolean } {
	const reader = new StopTexts(stops);
	const text = pieces.map((piece) => reader.push(piece)).join('') + reader.end();
	return { text, stopped: reader.stopped };
}

describe('stop texts', () => {
	it('cut at the first one, and show nothing of it', () => {
		expect(read(['Thought: 1\nObser', 'vation: 2'], ['Observation:'])).toEqual({
			text: 'Thought: 1\n',
			stopped: true,
		});
		expect(cutAt('a###b', ['###'])).toBe('a');
	});

	it('show what only looked like the beginning of one', () => {
		expect(read(['a#', '#b', '##'], ['###'])).toEqual({ text: 'a##b##', stopped: false });
	});

	it('that are empty or missing cut nothing', () => {
		expect(cutAt('text', ['', 'x!'])).toBe('text');
		expect(cutAt('text')).toBe('text');
	});

	it('give the same whatever the pieces', () => {
		const letters = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 30 });
		fc.assert(
			fc.property(
				letters,
				fc.array(letters, { maxLength: 3 }),
				fc.array(fc.nat(30)),
				(text, stops, cuts) => {
					const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort(
						(one, other) => one - other,
					);
					const pieces = [0, ...places].map((from, index) =>
						text.slice(from, places[index] ?? text.length),
					);
					const found = stops
						.filter((stop) => stop !== '' && text.includes(stop))
						.map((stop) => text.indexOf(stop));
					expect(read(pieces, stops).text).toBe(
						found.length === 0 ? text : text.slice(0, Math.min(...found)),
					);
				},
			),
		);
	});
});
