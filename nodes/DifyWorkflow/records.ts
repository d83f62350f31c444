/** Operations on the runs that Dify stores. */
import { fetchRunRecord, pollRunRecord } from '../../lib/dify/run/run-record';
import { stopWorkflow } from '../../lib/dify/run/run-workflow';
import { toPlainObject } from '../shared/dify/run-output';
import type { DifyOperation } from '../shared/dify/dify-operation';
import { defineListOperation } from '../shared/dify/define-operation';
import { readId, simplifyField } from '../shared/dify/dify-fields';
import { DEFAULT_USER, readUser } from '../shared/dify/dify-user';
import {
	booleanField,
	choiceField,
	collectionField,
	numberField,
	stringField,
	shownIf,
} from '../shared/field-builders';
import type { NodeParameters } from '../shared/parameters';
import { quoteValue } from '../shared/parameters';
import { isUnset } from '../../lib/values/records';
import { runIdField, runUserField } from './fields';

export const runGet: DifyOperation = {
	name: 'Get',
	value: 'get',
	action: 'Get a run',
	description: "Get the status, inputs and outputs of a run from Dify's run record",
	fields: [
		runIdField,
		booleanField(
			'Wait Until Finished',
			'waitUntilFinished',
			false,
			'Whether to poll until the run ends or pauses. Before Dify 1.15, a stopped run stays "running" in its record: do not wait for it there.',
		),
		numberField('Timeout (Seconds)', 'waitTimeout', 1200, {
			typeOptions: { minValue: 1, maxValue: 3600 },
			...shownIf('waitUntilFinished', true),
			description: 'How long to wait. Dify ends a run after 20 minutes by default.',
		}),
		simplifyField,
	],
	execute: async ({ client, parameters }) => {
		const runId = readId(parameters, 'workflowRunId');
		const record = parameters.boolean('waitUntilFinished')
			? await pollRunRecord(client, runId, { timeoutMs: parameters.milliseconds('waitTimeout') })
			: await fetchRunRecord(client, runId);
		const { raw, runId: workflowRunId, ...fields } = record;
		return {
			json: toPlainObject(parameters.boolean('simplify') ? { workflowRunId, ...fields } : raw),
		};
	},
};

export const runStop: DifyOperation = {
	name: 'Stop',
	value: 'stop',
	action: 'Stop a run',
	description: 'Ask Dify to stop a run. Dify accepts any ID, and a paused run stays paused.',
	fields: [
		stringField('Task ID', 'taskId', {
			default: '={{ $json.taskId }}',
			required: true,
			placeholder: 'e.g. 1c7e55fb-1ba2-4e10-81b5-30addcea2276',
			description: 'The task ID of the run. Not the workflow run ID.',
		}),
		{ ...runUserField, description: `The user who started the run. ${DEFAULT_USER}` },
	],
	execute: async ({ client, parameters }) => {
		const taskId = readId(parameters, 'taskId');
		await stopWorkflow(client, { taskId, user: readUser(parameters) });
		return { json: { taskId, stopRequested: true } };
	},
};

export const runGetAll: DifyOperation = defineListOperation({
	action: 'Get many runs',
	description: 'List the runs of the workflow, newest first, including active runs',
	fields: [],
	extraFields: [
		collectionField('Filters', 'filters', 'Filter', {
			options: [
				stringField(
					'Keyword',
					'keyword',
					'Text in the inputs or outputs, the user, or the run ID. Dify searches ASCII text and the first 30 characters only. Dify 1.16 fails if User is also set.',
				),
				{ displayName: 'Started After', name: 'after', type: 'dateTime', default: '' },
				{ displayName: 'Started Before', name: 'before', type: 'dateTime', default: '' },
				choiceField('Status', 'status', 'succeeded', {
					failed: 'Failed',
					'partial-succeeded': [
						'Partially Succeeded',
						'A node failed, and its error branch continued',
					],
					stopped: [
						'Stopped',
						'Most stopped runs are missing, because Dify stores them as running',
					],
					succeeded: 'Succeeded',
				}),
				stringField('User', 'user', 'The exact user that started the run through the API'),
			],
		}),
	],
	list: (parameters, context) => ({
		path: '/workflows/logs',
		query: {
			keyword: parameters.string('filters.keyword'),
			status: parameters.choice('filters.status', undefined),
			created_at__before: readTime(parameters, 'filters.before', context.getTimezone()),
			created_at__after: readTime(parameters, 'filters.after', context.getTimezone()),
			created_by_end_user_session_id: parameters.rawString('filters.user'),
		},
	}),
});

/** A time as an ISO string. Without a zone, as from the editor, it is in the workflow's time zone. */
function readTime(parameters: NodeParameters, path: string, zone: string) {
	const value = parameters.value(path);
	if (isUnset(value)) return undefined;
	const text = value instanceof Date ? value.toISOString() : String(value as string);
	const hasZone = /(?:z|[+-]\d\d:?\d\d)$/i.test(text);
	const time = Date.parse(hasZone ? text : `${text.includes('T') ? text : `${text}T00:00:00`}Z`);
	if (Number.isNaN(time)) {
		throw parameters.createError(path, `is not a valid time: ${quoteValue(value)}`);
	}
	return new Date(hasZone ? time : time - getOffsetMs(time, zone)).toISOString();
}

/** Milliseconds by which a time zone is ahead of UTC. */
function getOffsetMs(time: number, zone: string) {
	const wall = new Date(time).toLocaleString('sv-SE', { timeZone: zone }).replace(' ', 'T');
	return Date.parse(`${wall}Z`) - Math.floor(time / 1000) * 1000;
}
