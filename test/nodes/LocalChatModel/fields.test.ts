import type { INodeProperties } from 'n8n-workflow';

import { SAMPLER_ENTRIES } from '../../../lib/chat/samplers';
import { optionsField } from '../../../nodes/LocalChatModel/options';
import { properties } from '../../../nodes/LocalChatModel/fields';

const options = optionsField.options as INodeProperties[];
const option = (name: string) => options.find((one) => one.name === name)!;
const typesOf = ({ displayOptions }: { displayOptions?: INodeProperties['displayOptions'] }) =>
	(displayOptions?.show?.['/serverType'] ?? displayOptions?.show?.serverType) as string[] | undefined;

describe('the options of the chat model', () => {
	it('stand in the order of their labels, as n8n shows them, each once', () => {
		const labels = options.map(({ displayName }) => displayName);
		expect(labels).toEqual([...labels].sort((one, other) => one.localeCompare(other)));
		expect(new Set(options.map(({ name }) => name)).size).toBe(options.length);
	});

	it('have a field for every row of the table, with its label and range', () => {
		for (const [name, sampler] of SAMPLER_ENTRIES) {
			expect(option(name)).toMatchObject({ displayName: sampler.label, description: sampler.description });
			if (sampler.type === 'number' && sampler.range !== undefined && sampler.choices === undefined)
				expect(option(name).typeOptions).toMatchObject({ minValue: sampler.range[0], maxValue: sampler.range[1] });
			if (sampler.type === 'switch') expect(sampler.description).toMatch(/^Whether /);
		}
	});

	it.each([
		['temperature', undefined],
		['topK', ['auto', 'llamaServer', 'vllm', 'other']],
		['repeatPenalty', ['auto', 'llamaServer', 'vllm', 'other']],
		['chatTemplateArguments', ['auto', 'llamaServer', 'vllm', 'other']],
		['parallelToolCalls', ['auto', 'llamaServer', 'vllm', 'other']],
		['toolChoice', ['auto', 'llamaServer', 'vllm', 'other']],
		['dryMultiplier', ['auto', 'llamaServer', 'other']],
		['typicalP', ['auto', 'llamaServer', 'other']],
		['cachePrompt', ['auto', 'llamaServer', 'other']],
		['extraBody', undefined],
	])('are shown for the servers that take them: %s', (name, types) => {
		expect(typesOf(option(name))).toEqual(types);
	});

	it('a choice is offered to the servers that take it', () => {
		const choice = (field: string, value: string) =>
			properties
				.find(({ name }) => name === field)!
				.options!.find((one) => 'value' in one && one.value === value) as INodeProperties;
		expect(typesOf(choice('thinking', 'budget'))).toEqual(['auto', 'llamaServer', 'other']);
		expect(typesOf(choice('responseFormat', 'grammar'))).toEqual(['auto', 'llamaServer', 'vllm', 'other']);
	});
});
