import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { toTitle } from '../../../lib/errors/message-title';
import { readCases } from '../../support/rows';

test.each([
	["Field 'n': type must be number\n\nLiteLLM: model group 'a' failed with the error above."],
	["litellm.BadRequestError: OpenAIException - Field 'n': type must be number\n \nmore"],
	["\n------\n\nField 'n': type must be number"],
])('the title is the first paragraph with a word: %j', (message) => {
	const error = classifyErrorResponse(
		{ status: 400, body: JSON.stringify({ detail: message }) },
		{},
	);
	expect(error.message).toBe("Field 'n': type must be number");
});

test.each(readCases<[string, string]>('test/lib/errors/titles.tsv'))('%j', (message, title) => {
	expect(toTitle(message)).toBe(title);
});

test('a title has at most 120 characters', () => {
	expect([...toTitle('word '.repeat(100))]).toHaveLength(120);
});
