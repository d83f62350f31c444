import { NodeHelpers, type INodeParameters, type INodeProperties } from 'n8n-workflow';
import { properties, optionsField } from '../../../nodes/LocalChatModel/fields';
import { LocalChatModel } from '../../../nodes/LocalChatModel/LocalChatModel.node';
import { readSettings } from '../../../nodes/LocalChatModel/supply';
import { NodeParameters } from '../../../nodes/shared/parameters';
import { fakeContext } from '../../support/context';

const optionsOf = ({ options }: INodeProperties) => options as INodeProperties[];
const option = (name: string) => optionsOf(optionsField).find((one) => one.name === name)!;

describe('the options of the chat model', () => {
	it('begin with those that most people change', () => {
		const common = optionsOf(optionsField).map(({ name }) => name);
		expect(common.slice(0, 5)).toEqual(['temperature', 'maxTokens', 'topP', 'contextSize', 'stop']);
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
		expect(changes).toEqual(['Sampling', 'Thinking', 'Timeout', 'Tools']);
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
		expect(readSettings(new NodeParameters(context, 0, properties)).parameters).toMatchObject({
			minP: 0.05,
			repeatPenalty: 1.1,
			keepAlive: '30m',
		});
	});

	it('choose as a default what the node does where the option is not added', () => {
		const untouched = readSettings(
			new NodeParameters(fakeContext({ model: 'm', options: {} }, {}).context, 0, properties),
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
