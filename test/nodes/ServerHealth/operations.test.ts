import type { INodeProperties } from 'n8n-workflow';

import { operations } from '../../../nodes/ServerHealth/operations';

const { properties } = operations;

describe('the operations', () => {
	/** What n8n shows for these values. */
	function listVisibleFields(values: Record<string, string | boolean>): string[] {
		const fits = ({ displayOptions }: INodeProperties) =>
			Object.entries(displayOptions?.show ?? {}).every(([name, allowed]) =>
				(allowed as unknown[]).includes(values[name.replace('/', '')]),
			);
		return properties.filter(fits).map(({ name }) => name);
	}

	it.each([
		[
			{ service: 'modelServer', operation: 'check' },
			['service', 'operation', 'expectations', 'options'],
		],
		[
			{ service: 'modelServer', operation: 'speedTest' },
			['service', 'operation', 'model', 'tokens', 'concurrentRequests', 'expectations', 'options'],
		],
		[
			{ service: 'modelServer', operation: 'toolTest' },
			['service', 'operation', 'model', 'maxTokens', 'testTimeout', 'expectations', 'options'],
		],
		[
			{ service: 'modelServer', operation: 'report', measureSpeed: true },
			[
				'service',
				'operation',
				'title',
				'measureSpeed',
				'model',
				'concurrentRequests',
				'tokens',
				'expectations',
				'options',
			],
		],
		[
			{ service: 'modelServer', operation: 'report', measureSpeed: false },
			['service', 'operation', 'title', 'measureSpeed', 'expectations', 'options'],
		],
		[
			{ service: 'dify', operation: 'report', measureSpeed: true },
			['service', 'operation', 'title', 'options'],
		],
		[{ service: 'dify', operation: 'check' }, ['service', 'operation', 'options']],
		[
			{ service: 'dify', operation: 'waitUntilReady' },
			['service', 'operation', 'waitTimeout', 'options'],
		],
	])('shows for %j: %j', (values, names) => {
		expect(listVisibleFields(values)).toEqual(names);
	});

	it('offers for Dify only the supported operations', () => {
		const operations = properties
			.filter(({ name }) => name === 'operation')
			.map(({ options }) => options!.map((option) => ('value' in option ? option.value : '')));
		expect(operations).toEqual([
			['check', 'speedTest', 'toolTest', 'report', 'waitUntilReady'],
			['check', 'report', 'waitUntilReady'],
		]);
	});
});
