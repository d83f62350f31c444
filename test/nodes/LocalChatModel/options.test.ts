import { NodeHelpers, type INode, type INodeProperties } from 'n8n-workflow';

import { DEFAULT_LIMITS } from '../../../lib/http/limits';
import { properties } from '../../../nodes/LocalChatModel/fields';
import { LocalChatModel } from '../../../nodes/LocalChatModel/LocalChatModel.node';
import { optionFields } from '../../../nodes/LocalChatModel/options';
import { readSettings } from '../../../nodes/LocalChatModel/settings';
import { NodeParameters } from '../../../nodes/shared/parameters';
import { fakeContext } from '../../support/context';

const optionsOf = ({ options }: INodeProperties) => options as INodeProperties[];
const groupsIn = (typeVersion: number) =>
	optionFields.filter((field) => NodeHelpers.displayParameter({}, field, { typeVersion }, null));
const [all] = groupsIn(1);
const option = (name: string) => optionsOf(all!).find((one) => one.name === name)!;
const typesOf = ({ displayOptions }: { displayOptions?: INodeProperties['displayOptions'] }) =>
	(displayOptions?.show?.['/serverType'] ?? displayOptions?.show?.serverType) as
		| string[]
		| undefined;

describe('the options of the chat model', () => {
	it('stand in groups, each option once, and all of them in one list where a node of version 1 has them', () => {
		expect(groupsIn(1).map(({ name }) => name)).toEqual(['options']);
		const names = [
			'options',
			'optionsSampling',
			'optionsRepetition',
			'optionsThinking',
			'optionsServer',
		];
		expect(groupsIn(1.1).map(({ name }) => name)).toEqual(names);
		const sorted = (fields: INodeProperties[]) => fields.map(({ name }) => name).sort();
		expect(sorted(groupsIn(1.1).flatMap(optionsOf))).toEqual(sorted(optionsOf(all!)));
	});

	it('begin with those that most people change', () => {
		const common = optionsOf(groupsIn(1.1)[0]!).map(({ name }) => name);
		expect(common.slice(0, 3)).toEqual(['temperature', 'maxTokens', 'topP']);
		expect(common).toEqual(
			expect.arrayContaining(['firstTokenLimit', 'idleLimit', 'totalLimit', 'maxRetries', 'stop']),
		);
	});

	it('are kept by n8n where each version has them, and read alike', () => {
		const description = new LocalChatModel().description;
		// What the editor stores: each option with the value that it has when it is added.
		const stored = (typeVersion: number) =>
			Object.fromEntries(
				groupsIn(typeVersion).map((group) => [
					group.name,
					Object.fromEntries(optionsOf(group).map(({ name, default: preset }) => [name, preset])),
				]),
			);
		const settingsOf = (typeVersion: number) => {
			const node = { typeVersion } as INode;
			const given = { model: 'm', ...stored(typeVersion) } as Parameters<
				typeof NodeHelpers.getNodeParameters
			>[1];
			const kept = NodeHelpers.getNodeParameters(
				properties,
				given,
				true,
				false,
				node,
				description,
			)!;
			expect(kept).toMatchObject(given!);
			return readSettings(new NodeParameters(fakeContext(kept, {}).context, 0, properties));
		};
		expect(settingsOf(1.1)).toEqual(settingsOf(1));
		expect(settingsOf(1).parameters).toMatchObject({
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
