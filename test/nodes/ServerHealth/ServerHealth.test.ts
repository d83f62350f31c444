import type { INodeProperties } from 'n8n-workflow';

import { ServerHealth } from '../../../nodes/ServerHealth/ServerHealth.node';
import { run, shape, sim, useServer } from './run-node';

useServer();

describe('as a tool of an agent, the node has one output', () => {
	it.each([
		['the tool that n8n makes of the node', { outputs: ['ai_tool'] }],
		["n8n's own assistant, which runs the node as it is", { mode: 'internal' }],
	])('%s gets an unhealthy server as its one result', async (_name, setup) => {
		await sim({ apiKey: 'another' });
		const outputs = await run(setup);
		expect(outputs).toHaveLength(1);
		expect(outputs[0]).toMatchObject([{ json: { status: 'unauthorized', findings: [{ id: 'unauthorized' }] } }]);
	});

	it('also without any input item', async () => {
		await sim();
		expect(shape(await run({ outputs: ['ai_tool'], items: 0 }))).toEqual([[['healthy', { item: 0 }]]]);
	});
});

describe('the description', () => {
	const { description } = new ServerHealth();

	/** What n8n shows for these values. */
	function shown(values: Record<string, string>): string[] {
		const fits = ({ displayOptions }: INodeProperties) =>
			Object.entries(displayOptions?.show ?? {}).every(([name, allowed]) =>
				(allowed as unknown[]).includes(values[name.replace('/', '')]),
			);
		return description.properties.filter(fits).map(({ name }) => name);
	}

	it('has two named outputs and is usable as a tool', () => {
		expect(description).toMatchObject({
			outputs: ['main', 'main'],
			outputNames: ['Healthy', 'Unhealthy'],
			usableAsTool: true,
		});
	});

	it.each([
		['modelServer', 'localLlamaApi'],
		['dify', 'difyApi'],
	])('asks for one credential: %s wants %s', (service, name) => {
		const needed = description.credentials!.filter(
			({ displayOptions: { show, hide } = {} }) =>
				(show?.service ?? [service]).includes(service) && !(hide?.service ?? []).includes(service),
		);
		expect(needed).toMatchObject([{ name, required: true }]);
	});

	it.each([
		[{ service: 'modelServer', operation: 'check' }, ['service', 'operation', 'needed', 'options']],
		[
			{ service: 'modelServer', operation: 'speedTest' },
			['service', 'operation', 'model', 'tokens', 'atOnce', 'speedOptions', 'needed', 'options'],
		],
		[{ service: 'modelServer', operation: 'loadModel' }, ['service', 'operation', 'model', 'modelOptions']],
		[{ service: 'modelServer', operation: 'listModels' }, ['service', 'operation', 'options']],
		[{ service: 'dify', operation: 'check' }, ['service', 'operation', 'options']],
		[{ service: 'dify', operation: 'waitUntilReady' }, ['service', 'operation', 'options']],
	])('shows for %j: %j', (values, names) => {
		expect(shown(values)).toEqual(names);
	});

	it('offers for Dify only what it can do', () => {
		const operations = description.properties
			.filter(({ name }) => name === 'operation')
			.map(({ options }) => options!.map((option) => ('value' in option ? option.value : '')));
		expect(operations).toEqual([
			['check', 'listModels', 'loadModel', 'speedTest', 'unloadModel', 'waitUntilReady'],
			['check', 'waitUntilReady'],
		]);
	});
});
