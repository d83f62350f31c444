/** Operations on the runs that Dify stores. */
import { fetchRunRecord, pollRunRecord } from '../../lib/dify/run/run-record';
import { stopWorkflow } from '../../lib/dify/run/run-workflow';
import { toPlainObject } from '../shared/dify/run-output';
import type { FieldTable, TimeField } from '../../lib/fields/field';
import { keepAny } from '../../lib/fields/check-value';
import { createFieldError, quoteValue } from '../../lib/fields/field-errors';
import { isUnset } from '../../lib/values/records';
import { DEFAULT_USER, parseId, readUser, simplifyField } from '../shared/dify/common-fields';
import type { DifyOperation } from '../shared/dify/dify-operation';
import { defineListOperation } from '../shared/dify/list-operation';
import { ID_EXAMPLE } from '../shared/fields/to-properties';
import { defineOperation } from '../shared/items/define-operation';
import { runIdField, runUserField } from './fields';

const getFields = {
	workflowRunId: runIdField,
	waitUntilFinished: {
		kind: 'switch',
		label: 'Wait Until Done',
		default: false,
		description:
			'Whether to poll until the run ends or pauses. Before Dify 1.15, a stopped run stays "running" in its record: do not wait for it there.',
	},
	waitTimeout: {
		kind: 'seconds',
		label: 'Wait Timeout (Seconds)',
		default: 1200,
		range: [1, 3600],
		shownIf: { waitUntilFinished: [true] },
		description: 'How long to wait. Dify ends a run after 20 minutes by default.',
	},
	simplify: simplifyField,
} as const satisfies FieldTable;

export const runGet: DifyOperation = defineOperation({
	name: 'Get',
	value: 'get',
	action: 'Get a run',
	description: "Get the status, inputs and outputs of a run from Dify's run record",
	fields: getFields,
	execute: async ({ client, values }) => {
		const { workflowRunId: id, waitTimeout: timeoutMs, simplify } = values;
		const record =
			timeoutMs === undefined
				? await fetchRunRecord(client, id)
				: await pollRunRecord(client, id, { timeoutMs });
		const { raw, runId: workflowRunId, ...facts } = record;
		return { json: toPlainObject(simplify ? { workflowRunId, ...facts } : raw) };
	},
});

const stopFields = {
	taskId: {
		kind: 'name',
		label: 'Task ID',
		default: '={{ $json.taskId }}',
		required: true,
		placeholder: ID_EXAMPLE,
		description: 'The task ID of the run. Not the workflow run ID.',
		parse: parseId,
	},
	user: { ...runUserField, description: `The user who started the run. ${DEFAULT_USER}` },
} as const satisfies FieldTable;

export const runStop: DifyOperation = defineOperation({
	name: 'Stop',
	value: 'stop',
	action: 'Stop a run',
	description: 'Ask Dify to stop a run. Dify accepts any ID, and a paused run stays paused.',
	fields: stopFields,
	execute: async ({ client, source, values }) => {
		const { taskId } = values;
		await stopWorkflow(client, { taskId, user: readUser(source, values) });
		return { json: { taskId, stopRequested: true } };
	},
});

const afterField = {
	kind: 'time',
	label: 'Started After',
	parse: keepAny,
} as const satisfies TimeField;

const beforeField = {
	kind: 'time',
	label: 'Started Before',
	parse: keepAny,
} as const satisfies TimeField;

export const runGetAll: DifyOperation = defineListOperation({
	action: 'Get many runs',
	description: 'List the runs of the workflow, newest first, including active runs',
	fields: {},
	extraFields: {
		filters: {
			kind: 'options',
			label: 'Filters',
			entry: 'Filter',
			fields: {
				keyword: {
					kind: 'name',
					label: 'Keyword',
					description:
						'Text in the inputs or outputs, the user, or the run ID. Dify searches ASCII text and the first 30 characters only. Dify 1.16 fails if User is also set.',
				},
				after: afterField,
				before: beforeField,
				status: {
					kind: 'choice',
					label: 'Status',
					default: 'succeeded',
					choices: {
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
					},
				},
				user: {
					kind: 'text',
					label: 'User',
					description: 'The exact user that started the run through the API',
				},
			},
		},
	},
	list: ({ context, values: { filters } }) => ({
		path: '/workflows/logs',
		query: {
			keyword: filters.keyword,
			status: filters.status,
			created_at__before: toTime(beforeField, filters.before, context.getTimezone()),
			created_at__after: toTime(afterField, filters.after, context.getTimezone()),
			created_by_end_user_session_id: filters.user,
		},
	}),
});

/** A time as an ISO string. Without a zone, as from the editor, it is in the workflow's time zone. */
function toTime(field: TimeField, value: unknown, zone: string) {
	if (isUnset(value)) return undefined;
	const text = value instanceof Date ? value.toISOString() : String(value as string);
	const hasZone = /(?:z|[+-]\d\d:?\d\d)$/i.test(text);
	const time = Date.parse(hasZone ? text : `${text.includes('T') ? text : `${text}T00:00:00`}Z`);
	if (Number.isNaN(time)) {
		throw createFieldError(field, `is not a valid time: ${quoteValue(value)}`);
	}
	return new Date(hasZone ? time : time - getOffsetMs(time, zone)).toISOString();
}

/** Milliseconds by which a time zone is ahead of UTC. */
function getOffsetMs(time: number, zone: string) {
	const wall = new Date(time).toLocaleString('sv-SE', { timeZone: zone }).replace(' ', 'T');
	return Date.parse(`${wall}Z`) - Math.floor(time / 1000) * 1000;
}
