import type { INodeProperties } from 'n8n-workflow';

import { DEFAULT_LIMITS } from '../../../lib/http/limits';
import { properties } from '../../../nodes/LocalChatModel/fields';
import { optionsField } from '../../../nodes/LocalChatModel/options';
import { readSettings } from '../../../nodes/LocalChatModel/settings';
import { NodeParameters } from '../../../nodes/shared/parameters';
import { fakeContext } from '../../support/context';

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
