import { NodeHelpers, type INodeParameters, type INodeProperties } from 'n8n-workflow';

import { DEFAULT_LIMITS } from '../../../lib/http/limits';
import { properties } from '../../../nodes/LocalChatModel/fields';
import { LocalChatModel } from '../../../nodes/LocalChatModel/LocalChatModel.node';
import { optionFields } from '../../../nodes/LocalChatModel/options';
import { readSettings } from '../../../nodes/LocalChatModel/settings';
import { NodeParameters } from '../../../nodes/shared/parameters';
import { fakeContext } from '../../support/context';

const optionsOf = ({ options }: INodeProperties) => options as INodeProperties[];
const collections = optionFields.filter(({ type }) => type === 'collection');
const groupNames = collections.slice(1).map(({ name }) => name);
const option = (name: string) => collections.flatMap(optionsOf).find((one) => one.name === name)!;
const typesOf = ({ displayOptions }: { displayOptions?: INodeProperties['displayOptions'] }) =>
	(displayOptions?.show?.['/serverType'] ?? displayOptions?.show?.serverType) as
		| string[]
		| undefined;

describe('the options of the chat model', () => {
	it('stand in groups that More Options shows', () => {
		expect(optionFields.map(({ name }) => name)).toEqual([
			'options',
			'moreOptions',
			'optionsSampling',
			'optionsRepetition',
			'optionsThinking',
			'optionsServer',
		]);
	});

	it('begin with those that most people change', () => {
		const common = optionsOf(optionFields[0]!).map(({ name }) => name);
		expect(common.slice(0, 3)).toEqual(['temperature', 'maxTokens', 'topP']);
		expect(common).toEqual(
			expect.arrayContaining(['firstTokenLimit', 'idleLimit', 'totalLimit', 'maxRetries', 'stop']),
		);
	});

	it('are kept by n8n and read from their groups', () => {
		// What the editor stores: each option with the value that it has when it is added.
		const presets = (group: INodeProperties) =>
			Object.fromEntries(optionsOf(group).map(({ name, default: preset }) => [name, preset]));
		const groups = Object.fromEntries(collections.map((group) => [group.name, presets(group)]));
		const kept = NodeHelpers.getNodeParameters(
			properties,
			{ model: 'm', moreOptions: groupNames, ...groups } as INodeParameters,
			true,
			false,
			{ typeVersion: 1 },
			new LocalChatModel().description,
		)!;
		expect(kept).toMatchObject(groups);
		const { context } = fakeContext(kept, {});
		expect(readSettings(new NodeParameters(context, 0, properties)).parameters).toMatchObject({
			minP: 0.05,
			dryBase: 1.75,
			slotId: 0,
			keepAlive: '30m',
		});
	});

	it.each([
		['temperature', undefined],
		['topK', ['auto', 'llamaServer', 'ollama', 'vllm', 'other']],
		['repeatPenalty', ['auto', 'llamaServer', 'ollama', 'vllm', 'other']],
		['chatTemplateArguments', ['auto', 'llamaServer', 'vllm', 'other']],
		['parallelToolCalls', ['auto', 'llamaServer', 'vllm', 'other']],
		['toolChoice', ['auto', 'llamaServer', 'vllm', 'other']],
		['dryMultiplier', ['auto', 'llamaServer', 'other']],
		['typicalP', ['auto', 'llamaServer', 'ollama', 'other']],
		['topNSigma', ['auto', 'llamaServer', 'other']],
		['contextSize', ['auto', 'ollama']],
		['keepAlive', ['auto', 'ollama']],
		['cacheReuse', ['auto', 'llamaServer']],
		['lora', ['auto', 'llamaServer']],
		['cachePrompt', ['auto', 'llamaServer', 'other']],
		['extraBody', undefined],
	])('are shown for the servers that take them: %s', (name, types) => {
		expect(typesOf(option(name))).toEqual(types);
	});

	it('choose as a default what the node does where the option is not added', () => {
		const untouched = readSettings(
			new NodeParameters(fakeContext({ model: 'm', options: {} }, {}).context, 0, properties),
		);
		const preset = (name: string) => option(name).default;
		expect(untouched).toMatchObject({
			retries: preset('maxRetries'),
			reasoningEcho: preset('reasoningEcho'),
			showThinking: preset('showThinking'),
		});
		expect(preset('firstTokenLimit')).toBe(DEFAULT_LIMITS.firstTokenMs / 1000);
		expect(preset('idleLimit')).toBe(DEFAULT_LIMITS.idleMs / 1000);
		expect(preset('totalLimit')).toBe((DEFAULT_LIMITS.totalMs ?? 0) / 1000);
	});
});
