import type { INodeExecutionData, WorkflowExecuteMode } from 'n8n-workflow';

import { properties as chatModel } from '../../../nodes/LocalChatModel/fields';
import { properties as embeddings } from '../../../nodes/LocalEmbeddings/fields';
import { operations } from '../../../nodes/LocalLlama/resources';
import { NodeParameters } from '../../../nodes/shared/parameters';
import { chosenPriority, queueingOf } from '../../../nodes/shared/queueing';
import { fakeContext } from '../../support/context';

interface Execution {
	mode: WorkflowExecuteMode;
	items?: Array<Record<string, string | number>>;
	options?: Record<string, unknown>;
}

function contextOf({ mode, items = [{}], options = {} }: Execution) {
	const { context } = fakeContext({ options }, {});
	return Object.assign(context, {
		getMode: () => mode,
		getExecutionId: () => '17',
		getInputData: () => items.map((json): INodeExecutionData => ({ json })),
	});
}

/** The class and the user of the two kinds of nodes. */
function classes(execution: Execution) {
	const context = contextOf(execution);
	const parameters = new NodeParameters(context, 0, chatModel);
	return (['chatModel', 'action'] as const).map((use) => queueingOf(context, parameters, use));
}

const nameOf = ({ priority }: { priority?: string }) => priority;

describe('who waits for a place', () => {
	test.each<[WorkflowExecuteMode, string, string]>([
		['manual', 'person', 'person'],
		['webhook', 'person', 'person'],
		['chat', 'person', 'person'],
		['integrated', 'agent', 'agent'],
		['retry', 'agent', 'agent'],
		['cli', 'agent', 'agent'],
		['internal', 'agent', 'agent'],
		['agent', 'agent', 'agent'],
		['trigger', 'agent', 'batch'],
		['error', 'batch', 'batch'],
		['evaluation', 'batch', 'batch'],
	])('an execution that began as %s: %s for a chat model, else %s', (mode, model, other) => {
		expect(classes({ mode }).map(nameOf)).toEqual([model, other]);
		expect(classes({ mode, items: [{}, {}] }).map(nameOf)).toEqual(['batch', 'batch']);
		expect(classes({ mode, items: [] }).map(nameOf)).toEqual([model, other]);
	});

	test('the option Priority takes precedence, also for many items', () => {
		for (const priority of ['person', 'agent', 'batch'])
			expect(
				classes({ mode: 'webhook', items: [{}, {}], options: { priority } }).map(nameOf),
			).toEqual([priority, priority]);
		expect(classes({ mode: 'webhook', options: { priority: 'auto' } }).map(nameOf)).toEqual([
			'person',
			'person',
		]);
	});

	test.each([
		['the user of the trace', { userId: 'ann', sessionId: 's1' }, { sessionId: 'chat' }, 'ann'],
		['the session of the trace', { sessionId: 's1' }, { sessionId: 'chat' }, 's1'],
		['the session of the chat', { userId: '' }, { sessionId: 'chat' }, 'chat'],
		['a session that is a number', {}, { sessionId: 42 }, '42'],
		['the execution', {}, {}, '17'],
	])('a person is %s', (_name, trace, item, user) => {
		const [queueing] = classes({ mode: 'webhook', items: [item], options: { trace } });
		expect(queueing).toEqual({ priority: 'person', user });
	});

	test('other classes have no user', () => {
		expect(classes({ mode: 'trigger' })).toEqual([{ priority: 'agent' }, { priority: 'batch' }]);
	});

	test('a context without mode and items counts as an agent', () => {
		const { context } = fakeContext({}, {});
		const bare = Object.assign(context, { getMode: undefined });
		const parameters = new NodeParameters(bare, 0, embeddings);
		expect(queueingOf({}, parameters, 'action')).toEqual({ priority: 'agent' });
		expect(chosenPriority(parameters)).toBeUndefined();
	});

	test('every operation with a time limit has the option', () => {
		const options = operations.properties.filter(({ name }) => name.startsWith('options'));
		const namesOf = (field: (typeof options)[number]) =>
			(field.options ?? []).map(({ name }) => name);
		const limited = options.filter((field) => namesOf(field).includes('totalLimit'));
		const operationOf = ({ displayOptions: { show = {} } = {} }: (typeof options)[number]) =>
			JSON.stringify([show.resource, show.operation]);
		const places = options.filter((field) => namesOf(field).includes('priority')).map(operationOf);
		expect(limited.length).toBeGreaterThan(5);
		for (const field of limited) expect(places).toContain(operationOf(field));
	});
});
