/** A text that replaces another one is masked as if it were the first. */
import * as fc from 'fast-check';
import { MaskedStream } from '../../../lib/errors/masked-stream';

const KEY = ['sk', '9f8e7d6c5b4a3210'].join('-');
const parts = fc.array(
	fc.constantFrom('s', 'sk', 'sk-9f', '8e7d6c5b4a3210', KEY, ' a ', '文', 'k'),
	{ maxLength: 8 },
);

/** Each part as it is shown, and what is shown at the end. */
const show = (stream: MaskedStream, texts: readonly string[]) => [
	...texts.map((text) => stream.push(text)),
	stream.end(),
];

test('after a reset, nothing of the old text is shown or remembered', () => {
	fc.assert(
		fc.property(parts, parts, (old, texts) => {
			const stream = new MaskedStream([KEY]);
			for (const text of old) stream.push(text);
			stream.reset();
			expect(show(stream, texts)).toEqual(show(new MaskedStream([KEY]), texts));
		}),
	);
});
