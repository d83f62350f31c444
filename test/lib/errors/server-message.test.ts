import { toTitle } from '../../../lib/errors/signals';

test.each([
	[
		'This deployment has been archived by its owner.',
		'This deployment has been archived by its owner',
	],
	[
		'litellm.BadRequestError: OpenAIException - The tenant is closed. Ask Eve.',
		'The tenant is closed',
	],
	['Error code: 400 - Only llama3.2 at 10.0.0.5 is free', 'Only llama3.2 at … is free'],
	['rpc error: code = Unknown desc = the disk is full', 'the disk is full'],
	['Cannot read /models/a/b.gguf from http://10.0.0.7:80/x?key=1', 'Cannot read … from …'],
	["Value is odd [type=int, input_value='my secret', input_type=str]", 'Value is odd'],
	['<b>Closed</b>\u0000 for today', 'Closed for today'],
	['', ''],
])('%j', (message, title) => {
	expect(toTitle(message)).toBe(title);
});

test('a title has at most 120 characters', () => {
	expect([...toTitle('word '.repeat(100))]).toHaveLength(120);
});
