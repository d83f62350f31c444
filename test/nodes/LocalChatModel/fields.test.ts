import { NodeHelpers } from 'n8n-workflow';
import type { INodeParameters, INodeProperties } from 'n8n-workflow';
import { fields } from '../../../nodes/LocalChatModel/fields';
import { LocalChatModel } from '../../../nodes/LocalChatModel/LocalChatModel.node';
import { toSettings } from '../../../nodes/LocalChatModel/settings';
import { ItemSource } from '../../../nodes/shared/fields/item-source';
import { readValues } from '../../../nodes/shared/fields/read-values';
import { toProperties } from '../../../nodes/shared/fields/to-properties';
import { fakeContext } from '../../support/n8n/context';
import { GENERATION_OPTION_LIST } from '../../../lib/chat/body/generation-options';

const properties = toProperties(fields);
const optionsField = properties.find(({ name }) => name === 'options')!;
const optionsOf = ({ options }: INodeProperties) => options as INodeProperties[];
const option = (name: string) => optionsOf(optionsField).find((one) => one.name === name)!;

describe('the options of the chat model', () => {
	it('begin with those that most people change', () => {
		const common = optionsOf(optionsField).map(({ name }) => name);
		expect(common.slice(0, 8)).toEqual([
			'temperature',
			'maxTokens',
			'topP',
			'contextSize',
			'stop',
			'firstTokenTimeout',
			'idleTimeout',
			'totalTimeout',
		]);
		expect(common).toEqual(
			expect.arrayContaining([
				'firstTokenTimeout',
				'idleTimeout',
				'totalTimeout',
				'maxRetries',
				'stop',
			]),
		);
	});

	it('continue with groups of the same prefix', () => {
		const labels = optionsOf(optionsField).map(({ displayName }) => displayName);
		const groups = labels
			.slice(5)
			.map((label) => /^(\w+): |(Timeout) /.exec(label)?.slice(1).join(''));
		const changes = groups.filter((group, at) => group !== undefined && group !== groups[at - 1]);
		expect(changes).toEqual(['Timeout', 'Sampling', 'Thinking', 'Tools']);
	});

	it('are kept by n8n and read', () => {
		// What the editor stores: each option with the value that it has when it is added.
		const options = Object.fromEntries(
			optionsOf(optionsField).map(({ name, default: preset }) => [name, preset]),
		);
		const parameters = NodeHelpers.getNodeParameters(
			properties,
			{ model: 'm', options } as INodeParameters,
			true,
			false,
			{ typeVersion: 1 },
			new LocalChatModel().description,
		)!;
		expect(parameters).toMatchObject({ options });
		const { context } = fakeContext(parameters, {});
		expect(toSettings(readValues(new ItemSource(context, 0), fields)).sampling).toMatchObject({
			minP: 0.05,
			repeatPenalty: 1.1,
			keepAlive: '30m',
		});
	});

	it('choose as a default what the node does where the option is not added', () => {
		const untouched = toSettings(
			readValues(new ItemSource(fakeContext({ model: 'm', options: {} }, {}).context, 0), fields),
		);
		const preset = (name: string) => option(name).default;
		expect(untouched).toMatchObject({
			retries: preset('maxRetries'),
			thinkingHistory: preset('thinkingHistory'),
			showThinking: preset('showThinking'),
		});
		expect(preset('firstTokenTimeout')).toBe(1800);
		expect(preset('idleTimeout')).toBe(300);
		expect(preset('totalTimeout')).toBe(0);
	});
});

describe('the fields of the options that are sent unchanged', () => {
	it('have a field for every row of the table, with its label and range', () => {
		for (const field of GENERATION_OPTION_LIST) {
			expect(option(field.name)).toMatchObject({
				displayName: field.label,
				description: field.description,
			});
			if (field.kind === 'number' && field.range !== undefined && field.menu === undefined)
				expect(option(field.name).typeOptions).toMatchObject({
					minValue: field.range[0],
					maxValue: field.range[1],
				});
			if (field.kind === 'switch') expect(field.description).toMatch(/^Whether /);
		}
	});

	it.each([
		['maxTokens', { type: 'number', typeOptions: { numberPrecision: 0 } }],
		['topP', { type: 'number', typeOptions: { minValue: 0, maxValue: 1, numberPrecision: 3 } }],
		['temperature', { type: 'number', typeOptions: { numberPrecision: 2 } }],
		['mirostat', { type: 'options' }],
		['parallelToolCalls', { type: 'boolean' }],
		['stop', { type: 'string', default: [], typeOptions: { multipleValues: true } }],
	])('%s has the input of its type', (name, input) => {
		expect(option(name)).toMatchObject(input);
	});
});
