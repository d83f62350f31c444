import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { toTitle } from '../../../lib/errors/message-title';

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

test.each([
	{
		message: 'This deployment has been archived by its owner.',
		title: 'This deployment has been archived by its owner',
	},
	{
		message: 'litellm.BadRequestError: OpenAIException - The tenant is closed. Ask Eve.',
		title: 'The tenant is closed',
	},
	{
		message: 'Error code: 400 - Only llama3.2 at 10.0.0.5 is free',
		title: 'Only llama3.2 at … is free',
	},
	{ message: 'rpc error: code = Unknown desc = the disk is full', title: 'the disk is full' },
	// vLLM: pydantic's issues in Python's notation
	{
		message:
			"[{'type': 'missing', 'loc': ('body', 'file'), 'msg': 'Field required', 'input': None}]",
		title: 'file: Field required',
	},
	{
		message: `[{"type": "int_parsing", "loc": ["body", "n", 0], "msg": "Input should be a valid integer"}]`,
		title: 'n.0: Input should be a valid integer',
	},
	{
		message: `{'loc': ('body',), 'msg': "Value error, 'a' is missing", 'type': 'value_error'}`,
		title: "Value error, 'a' is missing",
	},
	{
		message: "[{'type': 'text', 'text': 'no issue'}] is no content",
		title: "[{'type': 'text', 'text': 'no issue'}] is no content",
	},
	{
		message: 'Cannot read /models/a/b.gguf from http://10.0.0.7:80/x?key=1',
		title: 'Cannot read … from …',
	},
	{
		message: "Value is odd [type=int, input_value='my secret', input_type=str]",
		title: 'Value is odd',
	},
	{ message: '<b>Closed</b>\u0000 for today', title: 'Closed for today' },
	{ message: '', title: '' },
	{ message: '服务器内部错误', title: '服务器内部错误' },
	{ message: '<p>モデルが見つかりません</p>', title: 'モデルが見つかりません' },
	{ message: 'Модель не найдена', title: 'Модель не найдена' },
	{ message: '… — …', title: '' },
])('the title is "$title"', ({ message, title }) => {
	expect({ message, title: toTitle(message) }).toEqual({ message, title });
});

test('a title has at most 120 characters', () => {
	expect([...toTitle('word '.repeat(100))]).toHaveLength(120);
});
