import { explainInputError } from '../../../lib/dify/input-error';
import { toDifyResponseError } from '../../../lib/dify/response-error';
import type { DifyClient } from '../../../lib/dify/client';

const PARAMETERS = {
	user_input_form: [
		{ 'text-input': { variable: 'q', label: 'Question', max_length: 48 } },
		{ number: { variable: 'age', label: 'Age in Years' } },
		{ select: { variable: 'lang', label: 'Language', options: ['en', 'de'] } },
		{ 'file-list': { variable: 'docs', label: 'Documents', max_length: 20 } },
	],
};
const explain = async (
	serverText: string,
	parameters: object = PARAMETERS,
	url = 'http://localhost/v1/chat-messages',
) =>
	await explainInputError(
		toDifyResponseError(
			{
				status: 400,
				url,
				headers: {},
				text: JSON.stringify({ code: 'invalid_param', message: serverText, status: 400 }),
			},
			{ url, service: 'dify' },
		)!,
		{
			getCached: async () => await Promise.resolve(parameters),
		} as unknown as DifyClient,
	);

interface RejectedInput {
	/** From Dify. */
	message: string;
	title: string;
	/** Part of the detail. */
	fact: string;
}

test.each<RejectedInput>([
	{
		message: 'q in input form must be less than 48 characters',
		title: 'Question: q in input form must be less than 48 characters',
		fact: 'maximum 48 characters',
	},
	{
		message: "(type 'text-input') q in input form must be a string",
		title: "Question: (type 'text-input') q in input form must be a string",
		fact: 'type text-input',
	},
	{
		message: 'age is required in input form',
		title: 'Age in Years: age is required in input form',
		fact: 'type number',
	},
	{
		message: "lang in input form must be one of the following: ['en', 'de']",
		title: "Language: lang in input form must be one of the following: ['en', 'de']",
		fact: 'one of en, de',
	},
	{
		message: 'docs in input form must be less than 10 files',
		title: 'Documents: docs in input form must be less than 10 files',
		fact: 'maximum 20 files',
	},
])('"$message" has the title "$title" and the fact "$fact"', async ({ message, title, fact }) => {
	const error = await explain(message);
	expect(error.message).toBe(title);
	expect(error.type).toBe('invalidInputs');
	expect(error.detail).toContain(fact);
});

test.each([
	{ route: 'chat-messages', isEveryTurn: true },
	{ route: 'completion-messages', isEveryTurn: false },
	{ route: 'workflows/run', isEveryTurn: false },
	{ route: 'workflows/a-version/run', isEveryTurn: false },
])('the advice at /$route is about every turn: $isEveryTurn', async ({ route, isEveryTurn }) => {
	const error = await explain(
		'age is required in input form',
		PARAMETERS,
		`http://localhost/v1/${route}`,
	);
	const advice = 'Check the inputs against the form of the app in Dify.';
	expect(error.suggestion).toBe(
		isEveryTurn
			? `${advice} Required inputs must be sent on every turn, also in an existing conversation.`
			: advice,
	);
});

test('a message that names no field of the form stays', async () => {
	expect((await explain('other in input form must be a file')).message).toBe(
		'other in input form must be a file',
	);
	expect((await explain('Some new text')).message).toBe('Some new text');
});
