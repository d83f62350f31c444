/** What a task sends, and what of a refusal it changes, for requests of each kind. */
import type { RequestField } from '../../../lib/exchange/request-fields';
import { runTask } from '../../../lib/tasks/run-task';
import type { TaskRequest, TaskSettings } from '../../../lib/tasks/run-task';
import { expectApproved } from '../../support/approved/approved-table';
import { json, useServers } from '../../support/servers/scripted-server';
import type { PlayedResponse } from './play-responses';
import { playResponses } from './play-responses';
import { OPTIONS, wavFile } from './media';
import path from 'node:path';

const start = useServers();
const FIELDS: RequestField[] = [
	{ field: 'input', label: 'Text', canOmit: false },
	{
		field: 'size',
		label: 'Size',
		canOmit: true,
		getInputIssue: (size) =>
			size === 'bad' ? { title: 'A bad size', suggestion: 'Change it.' } : undefined,
	},
	{ field: 'hidden', label: undefined, canOmit: true, isTechnical: true },
];
const GOOD: PlayedResponse = { body: { ok: true } };
const refuse = (message: string, more: object = {}, status = 400): PlayedResponse => ({
	body: { error: { message, ...more } },
	status,
});
const UNKNOWN = refuse('Unknown field "size"', { param: 'size' });

interface Case {
	responses: PlayedResponse[];
	request?: Partial<TaskRequest<unknown, unknown>>;
	settings?: Partial<TaskSettings>;
	/** Default: all fields. */
	body?: object;
}
const BODY = { input: 'I', size: '7x7', hidden: 1 };

const CASES: Readonly<Record<string, Case>> = {
	'a good response': { responses: [GOOD] },
	'no model': { responses: [GOOD], settings: { model: '' } },
	'an unknown option': { responses: [UNKNOWN, GOOD] },
	'an unknown option, again and again': { responses: [UNKNOWN] },
	'an unknown option of Extra Body': {
		responses: [UNKNOWN, GOOD],
		request: { extraBody: { size: 'x' } },
	},
	'an unknown technical field': { responses: [refuse('Unknown field', { param: 'hidden' }), GOOD] },
	'an unknown field that is needed': {
		responses: [refuse('Unknown field "input"', { param: 'input' }), GOOD],
	},
	'a wrong value': { responses: [refuse('size: must be larger', { param: 'size' }), GOOD] },
	'a wrong value of Extra Body': {
		responses: [refuse('size: must be larger', { param: 'size' }), GOOD],
		request: { extraBody: { size: 'x' } },
	},
	'a wrong model': { responses: [refuse('model not found', { param: 'model' }, 404)] },
	'an issue before it is sent': { responses: [GOOD], body: { input: 'I', size: 'bad' } },
	'an issue in Extra Body': {
		responses: [GOOD],
		body: { input: 'I', size: 'bad' },
		request: { extraBody: { size: 'bad' } },
	},
	'a text that is too long': { responses: [GOOD], body: { input: 'x'.repeat(3_000_000) } },
	'a text that was checked': {
		responses: [GOOD],
		body: { input: 'x'.repeat(3_000_000) },
		request: { areTextsChecked: true },
	},
	'a file': { responses: [GOOD], request: { files: [{ field: 'file', file: wavFile() }] } },
	'a file and a name that ends it': {
		responses: [GOOD],
		request: { files: [{ field: 'file', file: wavFile() }], extraBody: { 'a\nb': 1 } },
	},
	'a server error': { responses: [refuse('crashed', {}, 500), GOOD] },
	'a server error, Retries 2': {
		responses: [refuse('crashed', {}, 500), GOOD],
		settings: { retries: 2 },
	},
	'a server error, not repeatable': {
		responses: [refuse('crashed', {}, 500), GOOD],
		request: { isRepeatable: false },
		settings: { retries: 2 },
	},
	'a missing route': { responses: [refuse('Not Found', {}, 404), GOOD] },
	'too large': { responses: [{ body: { text: 'x'.repeat(400) } }], request: { maxBytes: 100 } },
	'a correction': {
		responses: [{ body: { ok: false } }, GOOD],
		request: {
			draft: 0,
			correct: (value, draft) => ((value as { ok: boolean }).ok ? undefined : Number(draft) + 1),
		},
	},
	'a correction in vain': {
		responses: [{ body: { ok: false } }],
		request: {
			draft: 0,
			correct: (value, draft) => ((value as { ok: boolean }).ok ? undefined : Number(draft) + 1),
		},
	},
};

test('each request', async () => {
	const rows = [];
	for (const [input, { responses, request, settings, body = BODY }] of Object.entries(CASES)) {
		const outcome = await playResponses({
			start,
			path: '/v1/images/generations',
			responses,
			routes: { 'GET /v1/models': json({ data: [{ id: 'm' }] }) },
			show: ({ text, headers }) =>
				text.length > 500 ? `${headers['content-type']?.split(';')[0]} of many characters` : text,
			call: async (server) => {
				const {
					value,
					warnings,
					body: sent,
					draft,
				} = await runTask<unknown, unknown>(
					server,
					{ ...OPTIONS, model: 'm', ...settings },
					{
						task: 'generateImages',
						routes: ['images'],
						fields: FIELDS,
						toBody: (_route, of) => ({
							...body,
							...request?.extraBody,
							...(of !== undefined && { draft: of }),
						}),
						readResponse: async (response) => JSON.parse(await response.text()) as unknown,
						...request,
					},
				);
				return { value, warnings, sent: Object.keys(sent), draft };
			},
		});
		rows.push({ input, outcome });
	}
	expectApproved(
		path.join(__dirname, 'run-task.approved.txt'),
		rows,
		'A refused field is omitted only if its row allows it, and an input is checked before it is sent',
	);
});
