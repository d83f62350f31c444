import fc from 'fast-check';
import { NodeOperationError } from 'n8n-workflow';
import { createServerError } from '../../../lib/errors/create-error';
import type { ErrorType } from '../../../lib/errors/error-types';
import { toNodeError } from '../../../lib/errors/node-error';
import type { KnownFacts } from '../../../lib/errors/facts';
import { DIFY_ERRORS, DIFY_VARIANTS } from '../../../lib/errors/rows/dify';
import { GATEWAY_ERRORS } from '../../../lib/errors/rows/gateway';
import { MODEL_ERRORS } from '../../../lib/errors/rows/model';
import { NETWORK_ERRORS } from '../../../lib/errors/rows/network';
import { SERVER_TYPES } from '../../../lib/servers/types';
import { toShownError, stripTitle } from '../../../lib/n8n/shown-error';
import { executeContext } from '../../support/n8n/execute-context';

const TABLES = {
	network: NETWORK_ERRORS,
	gateway: GATEWAY_ERRORS,
	model: MODEL_ERRORS,
	dify: { ...DIFY_ERRORS, ...DIFY_VARIANTS },
};
const ROWS = Object.entries(TABLES).flatMap(([table, rows]) =>
	Object.keys(rows).map((kind) => [table, kind as ErrorType] as const),
);
const FACTS: KnownFacts = { model: 'qwen3', status: 502, tool: 'search', code: 'EPROTO' };
const SERVER_TEXT = 'This is what the server says, in its own words';
const { context } = executeContext({
	type: 'n8n-nodes-local-llama.localLlama',
	credentials: {},
	parameters: {},
});
const { context: chat } = executeContext({
	type: 'n8n-nodes-local-llama.localLlama',
	credentials: {},
	parameters: {},
	streaming: true,
});

function shownIn(where: typeof context, kind: ErrorType, options: object) {
	const error = createServerError(kind, options, { about: FACTS, serverText: SERVER_TEXT });
	return toShownError(where, toNodeError(where.getNode(), error), error);
}

test.each(ROWS)('%s, %s: the description does not repeat the title', (table, kind) => {
	const service = table === 'dify' ? ('dify' as const) : undefined;
	for (const url of ['https://user:pw@10.0.0.5:8080/v1/chat?key=1', 'http://[::1]:9/(v1)']) {
		const options = { url, service };
		const { message, description } = shownIn(context, kind, options);
		const { message: title, detail } = createServerError(kind, options, { about: FACTS });
		const explanation = detail === title ? '' : `${detail}. `;
		expect(description).not.toContain(message);
		expect(description).toMatch(/^[A-Z'].* URL: http\S+$/s);
		const start = `${explanation}Server message: "${SERVER_TEXT}"`;
		expect(description!.slice(0, start.length)).toBe(start);
		expect(description).toContain(new URL(url).host);
	}
});

test.each(ROWS)(
	'%s, %s: in a streamed chat, at most 40 words; the panel has all',
	(table, kind) => {
		const options = {
			service: table === 'dify' ? ('dify' as const) : undefined,
			url: 'http://a/v1',
		};
		const panel = shownIn(context, kind, options);
		const { message, description = '', context: details } = shownIn(chat, kind, options);
		expect(message).toBe(panel.message);
		expect(details.descriptionTemplate).toBe(panel.description);
		const firstAdvice = createServerError(kind, options, { about: FACTS }).suggestion.split(
			'. ',
		)[0];
		expect(description).toContain(firstAdvice);
		expect(description!.split(/\s+/).length).toBeLessThanOrEqual(40);
	},
);

const SUGGESTIONS = Object.values(SERVER_TYPES).flatMap(({ name, texts }) =>
	Object.entries(texts.suggestions ?? {}).map(
		([kind, suggestion]) => [name, kind as ErrorType, suggestion] as const,
	),
);

test.each(SUGGESTIONS)('%s, %s: at most 40 words in a chat, too', (_name, kind, suggestion) => {
	const error = createServerError(
		kind,
		{},
		{ about: FACTS, serverText: SERVER_TEXT, inputWords: { title: 'No', suggestion } },
	);
	const { description = '' } = toShownError(chat, toNodeError(chat.getNode(), error), error);
	expect(description).toContain(suggestion.split('. ')[0]);
	expect(description!.split(/\s+/).length).toBeLessThanOrEqual(40);
});

test('a chat shows the rest of a suggestion and the URL if there is room', () => {
	const error = createServerError(
		'routeNotFound',
		{ url: 'http://a/v1/x' },
		{
			inputWords: {
				title: 'The server responds, but not at this path',
				suggestion: 'Go. On.',
			},
		},
	);
	const shown = toShownError(chat, toNodeError(chat.getNode(), error), error);
	expect(shown.description).toBe(
		'The server responds, but not at this path. Go. On. URL: http://a/v1/x',
	);
});

test('a description that only begins with the same words stays', () => {
	const description = 'The server failed twice. Look at its log.';
	expect(stripTitle({ message: 'The server failed', description })).toBe(description);
	expect(stripTitle({ message: 'Something else', description })).toBe(description);
	expect(stripTitle({ message: 'No', description: undefined })).toBeUndefined();
});

test.each(['.', '!', '?', '…', ':', ' "Mail:"', ' (why?)'])(
	'a title that ends with "%s" is not repeated',
	(end) => {
		const message = `The server failed${end}`;
		expect(stripTitle({ message, description: `${message} Look at its log.` })).toBe(
			'Look at its log.',
		);
		const longer = `${message}x and more`;
		expect(stripTitle({ message, description: longer })).toBe(longer);
	},
);

test('property: the text after the title is unchanged', () => {
	const sentence = fc.stringMatching(/^[A-Z][a-z ]{0,20}[a-z]$/);
	fc.assert(
		fc.property(sentence, sentence, (title, rest) => {
			const error = new NodeOperationError(context.getNode(), title, {
				description: `${title}. ${rest}.`,
			});
			expect(toShownError(context, error, error).description).toBe(`${rest}.`);
		}),
	);
});
