import { listRuns, type LoggedStatus } from '../../../lib/dify/app/logs';
import { limitIn, pagingFields } from '../../shared/dify/fields';
import { isBlank, shown, wrongField } from '../../shared/field-values';
import type { NodeParameters } from '../../shared/parameters';
import type { DifyOperation } from '../../shared/dify/run';
import { plain } from '../../shared/dify/plain';
import { choiceField, choices, collectionField, stringField } from '../../shared/field-kinds';

export const runGetAll: DifyOperation = {
	option: {
		name: 'Get Many',
		value: 'getAll',
		action: 'Get many runs',
		description: 'The runs of the workflow, newest first, those that are going on included',
	},
	fields: [
		...pagingFields,
		collectionField('Filters', 'filters', 'Filter', {
			options: [
				stringField('Account', 'account', {
					placeholder: 'e.g. anna@example.com',
					description: 'E-mail address of somebody who ran the workflow in Dify itself',
				}),
				stringField('Keyword', 'keyword', {
					description:
						'Text in the inputs or outputs, the user, or the run ID. Dify finds ASCII only, and the first 30 characters count.',
				}),
				{ displayName: 'Started After', name: 'after', type: 'dateTime', default: '' },
				{ displayName: 'Started Before', name: 'before', type: 'dateTime', default: '' },
				choiceField('Status', 'status', 'succeeded', {
					options: choices({
						failed: 'Failed',
						stopped: ['Stopped', 'Most stopped runs are missing: Dify stores them as running'],
						succeeded: 'Succeeded',
					}),
				}),
				stringField('User', 'user', {
					description: 'Who started the run over the API, exactly as it was given',
				}),
			],
		}),
	],
	run: async ({ client, context, parameters }) => {
		const zone = context.getTimezone();
		const filters = {
			keyword: parameters.name('filters.keyword'),
			status: parameters.choice<LoggedStatus>('filters.status', undefined),
			after: timeIn(parameters, 'filters.after', zone),
			before: timeIn(parameters, 'filters.before', zone),
			user: parameters.freeText('filters.user'),
			account: parameters.name('filters.account'),
		};
		const rows = await listRuns(client, filters, limitIn(parameters));
		return rows.map((row) => ({ json: plain(row) }));
	},
};

/** Reads a time as ISO text for Dify. Without a zone it is in the workflow's time zone. */
function timeIn(parameters: NodeParameters, path: string, zone: string): string | undefined {
	const value = parameters.value(path);
	if (isBlank(value)) return undefined;
	const text = value instanceof Date ? value.toISOString() : String(value as string);
	const hasZone = /(?:z|[+-]\d\d:?\d\d)$/i.test(text);
	const time = Date.parse(hasZone ? text : `${text.includes('T') ? text : `${text}T00:00:00`}Z`);
	if (Number.isNaN(time))
		throw wrongField(parameters.field(path).label, `is no time: ${shown(value)}`);
	return new Date(hasZone ? time : time - offsetOf(time, zone)).toISOString();
}

/** Milliseconds by which a time zone is ahead of UTC. */
function offsetOf(time: number, zone: string): number {
	const wall = new Date(time).toLocaleString('sv-SE', { timeZone: zone }).replace(' ', 'T');
	return Date.parse(`${wall}Z`) - Math.floor(time / 1000) * 1000;
}
