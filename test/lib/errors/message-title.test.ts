import { getErrorText } from '../../../lib/errors/error-types';
import { tell } from '../../../lib/errors/tell';
import { classifyErrorResponse } from '../../../lib/errors/classify-error';
import { createInputError } from '../../../lib/errors/create-error';
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
	{ message: 'sampling error: ', title: 'sampling error' },
	{ message: 'No file at /srv/models/a.gguf. Ask Eve.', title: 'No file at …' },
	{ message: 'Not at http://gpu:8080/v1. Ask Eve.', title: 'Not at …' },
	{
		message: 'Unexpected endpoint or method. (POST /chat/completions)',
		title: 'Unexpected endpoint or method. (POST /chat/completions)',
	},
	{ message: 'Cannot GET /v1/models of /srv/app. Ask Eve.', title: 'Cannot GET /v1/models of …' },
	{ message: 'Internal Server Error:', title: '' },
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
	{ message: 'Closed<br>for <i>today</i>', title: 'Closed for today' },
	{ message: '<!DOCTYPE html><title>Closed', title: 'Closed' },
	// Public reports of vLLM and llama.cpp
	{ message: 'expected a number, got <nil>', title: 'expected a number, got <\u200Bnil>' },
	{ message: 'Use --n-ctx <new_value>', title: 'Use --n-ctx <\u200Bnew_value>' },
	{ message: '<nil>', title: '' },
	{ message: 'Error: <nil>.', title: '' },
	{ message: '<a> is not </b>', title: '<\u200Ba> is not <\u200B/b>' },
	{ message: '', title: '' },
	{ message: '服务器内部错误', title: '服务器内部错误' },
	{ message: '<p>モデルが見つかりません</p>', title: 'モデルが見つかりません' },
	{ message: 'Модель не найдена', title: 'Модель не найдена' },
	{ message: '… — …', title: '' },
	{ message: '模型不存在。请先下载。', title: '模型不存在' },
	{ message: 'أغلق المستأجر حسابه. اتصل بالمسؤول.', title: 'أغلق المستأجر حسابه' },
	{ message: 'هل أُغلق؟ اتصل بالمسؤول.', title: 'هل أُغلق' },
	{ message: 'खाता बंद है। व्यवस्थापक से पूछें।', title: 'खाता बंद है' },
	{ message: 'החשבון נסגר. פנה למנהל.', title: 'החשבון נסגר' },
	{ message: '계정이 닫혔습니다. 관리자에게 문의하세요.', title: '계정이 닫혔습니다' },
	{ message: '모델 llama3.2 는 없습니다', title: '모델 llama3.2 는 없습니다' },
	// LiteLLM 1.110.2
	{
		message: '/chat/completions: Invalid model name passed in model=nope. Call `/v1/models`.',
		title: 'Invalid model name passed in model=nope',
	},
	{
		message: 'litellm.Timeout: APITimeoutError - Request timed out. Error_str: Request timed out.',
		title: 'Request timed out',
	},
	{ message: 'litellm.Timeout: the model is slow', title: 'litellm.Timeout: the model is slow' },
	{
		message:
			"litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: OpenAIException - request (12520 tokens) exceeds the context\nmodel=a. context_window_fallbacks=None. fallbacks=None.\n\nSet 'context_window_fallback'",
		title: 'request (12520 tokens) exceeds the context',
	},
	{ message: 'Odd values: n=1 size=2', title: 'Odd values: n=1 size=2' },
	{ message: 'Odd values\nn=1 size=2', title: 'Odd values' },
	{ message: 'Odd values\nn=1 or 2', title: 'Odd values n=1 or 2' },
	// Of a status, which says nothing
	{ message: 'Bad Request. Top K is odd.', title: 'Bad Request. Top K is odd' },
	{ message: 'Internal Server Error', title: '' },
	{ message: '404 page not found', title: '' },
	{ message: 'File Not Found', title: '' },
	{ message: 'Model not found', title: 'Model not found' },
	{ message: '500 Internal Server Error basic_string: null', title: 'basic_string: null' },
	{ message: 'Bad Request: top_k is odd', title: 'top_k is odd' },
	// Wrappers inside of wrappers
	{
		message: `litellm.BadRequestError: OpenAIException - Error code: 400 - {'error': {'message': "litellm.BadRequestError: Hosted_vllmException - the \\"voice\\" isn't there", 'type': None}}`,
		title: `the "voice" isn't there`,
	},
	{ message: 'code=400, message=the prompt is empty', title: 'the prompt is empty' },
	{
		message:
			'1 validation error for ChatRequest\ntop_k\n  Input should be less than 5 [type=less_than]',
		title: 'top_k: Input should be less than 5',
	},
	{
		message:
			'Traceback (most recent call last):\n  File "/app/a.py", line 3, in run\n    load()\nRuntimeError: The model has no head. Sorry',
		title: 'The model has no head',
	},
	{ message: 'Traceback (most recent call last): File "/app/a.py"', title: '' },
	{
		message:
			'Unable to generate parser for this template. Automatic parser generation failed: \n------------\nWhile executing CallExpression at line 85, column 32 in source:\n...{{- raise_exception() }}\n                                           ^\nError: Jinja Exception: Roles must alternate',
		title: 'Roles must alternate',
	},
])('the title is "$title"', ({ message, title }) => {
	expect({ message, title: toTitle(message) }).toEqual({ message, title });
});

test.each(['word '.repeat(100), 'a'.repeat(1_000_000), '漢'.repeat(5_000), '(Error: '.repeat(500)])(
	'a title is below 200 characters',
	(message) => {
		expect([...toTitle(message)].length).toBeLessThan(200);
	},
);

const toError = (status: number, body: unknown) =>
	classifyErrorResponse(
		{ status, body: typeof body === 'string' ? body : JSON.stringify(body) },
		{ model: 'qwen3' },
	);

test.each([
	{ status: 401, body: { error: { message: 'No such key.' } } },
	{ status: 403, body: { detail: 'No such key.' } },
	{ status: 404, body: { error: 'No such key.' } },
	{ status: 413, body: 'No such key.' },
	{ status: 429, body: { object: 'error', message: 'No such key.' } },
	{ status: 502, body: { error: { message: '{"error":{"message":"No such key."}}' } } },
	{ status: 503, body: 'No such key' },
	{ status: 200, body: { error: { message: 'No such key.' } } },
	{ status: 500, body: 'No such key.'.split('').join('\0') },
])('the title of status $status is the sentence of the server', ({ status, body }) => {
	const { message, isServerText } = toError(status, body);
	expect({ message, isServerText }).toEqual({ message: 'No such key', isServerText: true });
});

test.each([
	{ status: 404, body: '<html>The page is gone.</html>' },
	{ status: 404, body: { detail: 'Not Found' } },
	{ status: 500, body: '' },
	{ status: 500, body: '500 Internal Server Error' },
	{ status: 200, body: 'It works!' },
	{ status: 302, body: 'Moved over there.' },
	{ status: 407, body: 'A proxy wants a password.' },
])('a server that wrote no sentence has none in the title: $status $body', ({ status, body }) => {
	const error = toError(status, body);
	expect(error).toMatchObject({ isServerText: false, message: tell(error, 'trace').title });
});

test('everyone but the owner reads the title of the type', () => {
	const error = toError(404, { error: "model 'secret-model' not found" });
	expect(tell(error, 'trace').title).toBe('The server does not have the model');
	expect(error.withField('Model').message).toBe("Model: model 'secret-model' not found");
	expect(error.withField('Model').withField('Text 3').message).toBe(
		"Text 3: model 'secret-model' not found",
	);
});

test.each([
	{ message: 'The tenant is closed.', isWhole: true },
	{ message: '  The tenant\n is closed ', isWhole: true },
	{ message: 'Error: The tenant is closed', isWhole: true },
	{ message: 'The tenant is closed. Ask Eve.', isWhole: false },
	{ message: 'litellm.BadRequestError: The tenant is closed', isWhole: false },
	{ message: `The ${'very '.repeat(60)}long name is closed`, isWhole: false },
])('the details are advised only if they contain more: $message', ({ message, isWhole }) => {
	const { suggestion } = toError(400, { error: { message } });
	expect(suggestion).toBe(isWhole ? '' : 'The details contain the whole message of the server.');
});

test('a server that names its own timeout is no proxy in front of it', () => {
	const message = 'Model instance did not finish within 600 seconds';
	expect(toError(504, { error: { message } })).toMatchObject({
		message,
		suggestion: 'Raise the timeout of the server or gateway that responded, or shorten the prompt.',
	});
});

test('a label is that of one title', () => {
	const own = createInputError('Model: none', '', { field: 'Model' });
	expect(own.withField('Text 3').message).toBe('Text 3: Model: none');
	expect(own.withField('Text 3').withField('Text 4').message).toBe('Text 4: Model: none');
});

test('the sentence of a server stays the title of its error', () => {
	const error = toError(500, { error: 'The disk is full' });
	const { suggestion } = getErrorText('modelLoadFailed');
	const other = error.asType('modelLoadFailed');
	expect(other).toMatchObject({ message: 'The disk is full', suggestion, isServerText: true });
});

test('an error of another type has the words of that type, but for the sentence of a server', () => {
	const own = createInputError('Model: none', 'Enter one.', { field: 'Model' });
	const { title: message, suggestion } = getErrorText('modelNotFound');
	expect(own.asType('modelNotFound')).toMatchObject({ message, detail: message, suggestion });
});
