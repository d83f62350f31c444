/** What a user reads of an error response: each status at each route, with and without a code and a message. */
import { toDifyResponseError } from '../../../lib/dify/response-error';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';
import { combine, describeError } from '../../support/approved/outcome';
import path from 'node:path';

/** By what they are called in the table. */
const ROUTES: Readonly<Record<string, string>> = {
	chat: '/chat-messages',
	run: '/workflows/run',
	old: '/workflows/v1/run',
	record: '/workflows/run/r1',
	events: '/workflow/r1/events',
	chats: '/conversations/c1',
	variable: '/conversations/c1/variables/v1',
	list: '/messages',
	rating: '/messages/m1/feedbacks',
	form: '/form/human_input/t1',
	base: '/datasets/d1',
	doc: '/datasets/d1/documents/x1',
	search: '/datasets/d1/retrieve',
	upload: '/files/upload',
};
const STATUSES = [200, 400, 401, 403, 404, 413, 429, 500, 503];
const BODIES: Readonly<Record<string, string>> = {
	code: '{"code":"invalid_param","message":"city is required","status":400}',
	phrase: '{"code":"not_found","message":"Not Found","status":404}',
	empty: '{"code":"unknown","message":"","status":500}',
	page: '<html><title>Bad Gateway</title></html>',
};

const toError = (route: string, status: number, text: string, headers = {}) =>
	toDifyResponseError(
		{ status, url: `http://dify/v1${route}`, headers, text } as never,
		{ service: 'dify', secrets: ['app-secret-key'] } as never,
	);
const toText = (error: unknown): string =>
	error === undefined ? 'not Dify’s' : describeError(error);

test('each status at each route, with each body', () => {
	const cases = combine({
		route: Object.keys(ROUTES),
		status: STATUSES,
		body: Object.keys(BODIES),
	});
	const outcomes = cases.map(({ route, status, body }) => ({
		subject: `${status} ${body}`,
		place: route,
		outcome: toText(toError(ROUTES[route]!, status, BODIES[body]!)),
	}));
	expectApproved(
		path.join(__dirname, 'response-error.any-response.approved.txt'),
		joinPlaces(outcomes),
		'An error response has the type that its status, code and route say',
	);
});

const CODES = [
	...[
		'app_unavailable',
		'not_chat_app',
		'agent_not_published',
		'conversation_completed',
		'unauthorized',
	],
	...[
		'provider_not_initialize',
		'provider_quota_exceeded',
		'completion_request_error',
		'forbidden',
	],
	...[
		'too_many_files',
		'file_too_large',
		'unsupported_audio_type',
		'file_extension_blocked',
		'audio_too_large',
	],
	...[
		'remote_file_not_found',
		'dataset_name_duplicate',
		'document_indexing',
		'archived_document_immutable',
	],
	...[
		'human_input_form_expired',
		'human_input_form_submitted',
		'invalid_form_data',
		'rate_limit_error',
	],
	...['invalid_action', 'too_many_requests', 'new_code'],
];

test('each code, with its own advice; and messages that are wrapped, private or very long', () => {
	const codes = combine({ code: CODES, message: ['The reason.', ''] }).map(({ code, message }) => ({
		input: `${code} ${JSON.stringify(message)}`,
		outcome: toText(
			toError('/chat-messages', 400, JSON.stringify({ code, message, status: 400 }), {
				'x-version': '1.16.0',
				'retry-after': '7',
			}),
		),
	}));
	const messages = [
		'Run failed: req_id: 7290e79a93 PluginInvokeError: {"args":{"description":"[models] Error: no memory"},"error_type":"X"}',
		'[deepseek] Error: PluginInvokeError: {"message":"Too long","args":{"description":"Too long for it"}}',
		"Error code: 400 - {'error': {'message': \"It's full\", 'type': 'x'}}",
		'{"error":{"message":"{\\"detail\\":\\"deep\\"}"}}',
		'2 validation errors for Form\ncity\n  Field required [type=missing, input_value={"x":1}]\nyear\n  Too small [type=x]',
		'Document not found. You have requested this URI [/v1/x] but did you mean /v1/y ?',
		'(psycopg2.errors) invalid input\nLINE 1: SELECT secret\n[SQL: SELECT secret]',
		'The key app-secret-key is wrong',
		'x'.repeat(2_000),
		' \n ',
	].map((message) => ({
		input: `message ${JSON.stringify(message).slice(0, 120)}`,
		outcome: toText(toError('/workflows/run', 500, JSON.stringify({ code: 'x', message }))),
	}));
	expectApproved(
		path.join(__dirname, 'response-error.any-response.codes.approved.txt'),
		[...codes, ...messages],
		'A code of Dify has its type, and nothing private of a message is shown',
	);
});
