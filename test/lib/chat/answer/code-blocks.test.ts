import fc from 'fast-check';

import { CodeBlocks } from '../../../../lib/chat/answer/code-blocks';

const after = (text: string) => {
	const code = new CodeBlocks();
	code.push(text);
	return code;
};

describe('code in Markdown', () => {
	it.each([
		['', false],
		['text', false],
		['```', true],
		['```js\n', true],
		['```js\nx\n', true],
		['```js\nx\n```\n', false],
		['````\n```\n', true],
		['````\n```\n````\n', false],
		['~~~\n```\n', true],
		['~~~\n```\n~~~\n', false],
		['```\n``` no end\n', true],
		['  - ```\n', false],
		['   ```\nx', true],
		['text ```\n', false],
	])('%j is followed by a block: %s', (text, inBlock) => expect(after(text).isInBlock).toBe(inBlock));

	it.each([
		['a `b', true],
		['a `b` c', false],
		['a ``b', true],
		['a `b\nc', false],
		['```\nx', true],
	])('%j is followed by code: %s', (text, inCode) => expect(after(text).isInCode).toBe(inCode));

	it('is the same however it arrives', () => {
		const texts = fc.array(fc.constantFrom('```', '`', '~~~', '\n', ' ', 'a'), { maxLength: 20 });
		fc.assert(
			fc.property(texts, (parts) => {
				const code = new CodeBlocks();
				for (const character of parts.join('')) code.push(character);
				const whole = after(parts.join(''));
				expect([code.isInCode, code.isInBlock, code.isAtLineStart]).toEqual([
					whole.isInCode,
					whole.isInBlock,
					whole.isAtLineStart,
				]);
			}),
		);
	});
});
