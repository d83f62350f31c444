/** Background executions wait for people who watch. */
import type { INodeExecutionData, WorkflowExecuteMode } from 'n8n-workflow';
import { operations } from '../../nodes/LocalLlama/resources';
import { ItemSource } from '../../nodes/shared/fields/item-source';
import { readPriority, toExplicitPriority } from '../../nodes/shared/fields/request-options';
import { fakeContext } from '../support/n8n/context';

interface Execution {
	mode: WorkflowExecuteMode;
	items?: Array<Record<string, string | number>>;
	options?: Record<string, unknown>;
}

function contextOf({ mode, items = [{}], options = {} }: Execution) {
	const { context } = fakeContext({ options }, {});
	return Object.assign(context, {
		getMode: () => mode,
		getInputData: () => items.map((json): INodeExecutionData => ({ json })),
	});
}

function classOf(execution: Execution): string {
	const context = contextOf(execution);
	return readPriority(context, new ItemSource(context, 0));
}

describe('the priority of a request', () => {
	test.each<[WorkflowExecuteMode, string]>([
		['manual', 'interactive'],
		['webhook', 'interactive'],
		['chat', 'interactive'],
		['integrated', 'interactive'],
		['retry', 'interactive'],
		['cli', 'interactive'],
		['internal', 'interactive'],
		['agent', 'interactive'],
		['trigger', 'batch'],
		['error', 'batch'],
		['evaluation', 'batch'],
	])('an execution started as %s: %s', (mode, priority) => {
		expect(classOf({ mode })).toBe(priority);
		expect(classOf({ mode, items: [{}, {}] })).toBe('batch');
		expect(classOf({ mode, items: [] })).toBe(priority);
	});

	test('the option Priority takes precedence, also for many items', () => {
		for (const priority of ['interactive', 'batch'])
			expect(classOf({ mode: 'webhook', items: [{}, {}], options: { priority } })).toBe(priority);
		expect(classOf({ mode: 'webhook', options: { priority: 'auto' } })).toBe('interactive');
	});

	test('a context without mode and items is interactive', () => {
		const { context } = fakeContext({}, {});
		const bare = Object.assign(context, { getMode: undefined });
		expect(readPriority({}, new ItemSource(bare, 0))).toBe('interactive');
		expect(toExplicitPriority({})).toBeUndefined();
	});

	test('every operation with a timeout has the option', () => {
		const options = operations.properties.filter(({ name }) => name.startsWith('options'));
		const namesOf = (field: (typeof options)[number]) =>
			(field.options ?? []).map(({ name }) => name);
		const limited = options.filter((field) => namesOf(field).includes('firstTokenTimeout'));
		const operationOf = ({ displayOptions: { show = {} } = {} }: (typeof options)[number]) =>
			JSON.stringify([show.resource, show.operation]);
		const places = options.filter((field) => namesOf(field).includes('priority')).map(operationOf);
		expect(limited.length).toBeGreaterThan(5);
		for (const field of limited) expect(places).toContain(operationOf(field));
	});
});
