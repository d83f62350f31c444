import { ItemSource } from '../../../../nodes/shared/fields/item-source';
import type { INodeType } from 'n8n-workflow';

import { DifyChatMessage } from '../../../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../../../nodes/DifyConversation/DifyConversation.node';
import { DifyFeedback } from '../../../../nodes/DifyFeedback/DifyFeedback.node';
import { LocalChatModel } from '../../../../nodes/LocalChatModel/LocalChatModel.node';
import { ServerHealth } from '../../../../nodes/ServerHealth/ServerHealth.node';
import {
	operationField,
	operationFields,
	createResourceTable,
} from '../../../../nodes/shared/items/operation-table';

const field = (name: string, show?: Record<string, string[]>) => ({
	displayName: name,
	name,
	type: 'string' as const,
	default: '',
	...(show === undefined ? {} : { displayOptions: { show } }),
});
const stop = { name: 'Stop', value: 'stop', fields: [field('task')] };
const get = { name: 'Get', value: 'get', fields: [] };
const rename = {
	name: 'Rename',
	value: 'rename',
	fields: [field('title', { auto: ['no'] }), field('user')],
};

describe('operations of a node', () => {
	it('keep their order with any default', () => {
		expect(operationField([stop, rename], 'rename')).toMatchObject({
			default: 'rename',
			options: [{ name: 'Stop' }, { name: 'Rename' }],
		});
		expect(operationField([stop, rename])).toMatchObject({ default: 'stop' });
		expect(operationField([stop], 'stop')).not.toHaveProperty('displayOptions');
		expect(operationField([stop], 'stop', { resource: ['a'] })).toMatchObject({
			displayOptions: { show: { resource: ['a'] } },
		});
	});

	it('have their own fields, with their existing conditions', () => {
		const conditions = operationFields([stop, rename], { resource: ['a'] }).map(
			({ name, displayOptions }) => [name, displayOptions],
		);
		expect(conditions).toEqual([
			['task', { show: { resource: ['a'], operation: ['stop'] } }],
			['title', { show: { resource: ['a'], operation: ['rename'], auto: ['no'] } }],
			['user', { show: { resource: ['a'], operation: ['rename'] } }],
		]);
		expect(stop.fields[0]).not.toHaveProperty('displayOptions');
	});

	it('belong to a resource, which sets the default', () => {
		const { properties, getOperation } = createResourceTable([
			{ name: 'Run', value: 'run', operations: [stop, get], defaultOperation: 'get' },
			{ name: 'Chat', value: 'chat', operations: [rename] },
		]);
		expect(properties).toMatchObject([
			{ name: 'resource', default: 'run', options: [{ name: 'Run' }, { name: 'Chat' }] },
			{ name: 'operation', default: 'get', displayOptions: { show: { resource: ['run'] } } },
			{ name: 'operation', default: 'rename', displayOptions: { show: { resource: ['chat'] } } },
			{ name: 'task', displayOptions: { show: { resource: ['run'], operation: ['stop'] } } },
			{ name: 'title', displayOptions: { show: { resource: ['chat'], operation: ['rename'] } } },
			{ name: 'user', displayOptions: { show: { resource: ['chat'], operation: ['rename'] } } },
		]);
		const chosen = (parameters: Record<string, string>) => {
			const getNodeParameter = (name: string) => parameters[name];
			return getOperation(new ItemSource({ getNodeParameter }, 0));
		};
		expect(chosen({ resource: 'chat', operation: 'rename' })).toBe(rename);
		expect(chosen({ resource: 'run', operation: 'stop' })).toBe(stop);
		expect(() => chosen({ resource: 'run', operation: 'rename' })).toThrow(
			'has no operation "rename"',
		);
	});

	it.each<[string, INodeType]>([
		['Dify Chat Message', new DifyChatMessage()],
		['Dify Conversation', new DifyConversation()],
		['Dify Feedback', new DifyFeedback()],
		['Local Chat Model', new LocalChatModel()],
		['Server Health', new ServerHealth()],
	])('shows an operation only its own fields, and each once: %s', (_name, { description }) => {
		const seen = new Map<string, Array<Record<string, unknown[]>>>();
		for (const { name, displayOptions } of description.properties) {
			const show = (displayOptions?.show ?? {}) as Record<string, unknown[]>;
			const operations = (show.operation ?? ['any']) as string[];
			const resources = (show.resource ?? show.service ?? ['any']) as string[];
			for (const operation of operations)
				for (const resource of resources) {
					const path = `${resource} ${operation} ${name}`;
					const others = seen.get(path) ?? [];
					expect({ place: path, twice: others.some((other) => !areApart(other, show)) }).toEqual({
						place: path,
						twice: false,
					});
					seen.set(path, [...others, show]);
				}
		}
	});
});

/** Whether two fields are never shown together: their conditions exclude each other. */
function areApart(one: Record<string, unknown[]>, other: Record<string, unknown[]>): boolean {
	return Object.entries(one).some(([field, values]) => {
		const expected = other[field];
		return expected !== undefined && !expected.some((value) => values.includes(value));
	});
}
