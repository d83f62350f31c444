/** Ollama loads a model again for another context size, whatever spelling of its name a node has. */
import { getContextWarnings } from '../../../../lib/chat/body/context-warnings';
import { createModelServer } from '../../../../lib/servers/endpoint';
import { ollama } from '../../../../lib/servers/types/ollama';
import { NO_EXECUTION } from '../../../support/n8n/node-host';

test.each([
	['qwen3', 'qwen3:latest', true],
	['qwen3:latest', 'qwen3', true],
	['qwen3', ' qwen3:LATEST ', true],
	['hf.co/a/qwen3:8b', 'hf.co/a/qwen3:8b ', true],
	['qwen3', 'qwen3:8b', false],
	['qwen3:8b', 'qwen3:4b', false],
	['latest', 'qwen3:latest', false],
])('"%s" and "%s" are one model: %s', (first, second, isSame) => {
	const server = createModelServer({ baseUrl: 'http://ollama:11434' }, NO_EXECUTION);
	const request = (model: string, contextSize: number) =>
		getContextWarnings(ollama, server, { model, sampling: { contextSize } });
	expect(request(first, 4096)).toEqual([]);
	expect(request(second, 4096)).toEqual([]);
	expect(request(first, 8192)).toHaveLength(1);
	expect(request(second, 8192)).toHaveLength(isSame ? 0 : 1);
});
