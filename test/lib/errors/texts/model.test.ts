import { MODEL_ERROR_TEXTS } from '../../../../lib/errors/texts/model';

describe('remedies for what model servers refuse', () => {
	test('numbers that the server gave are in the title', () => {
		expect(MODEL_ERROR_TEXTS.promptTooLong({ promptTokens: 9000, contextTokens: 4096 }).title).toBe(
			'The prompt needs 9000 tokens, but a server slot has 4096',
		);
		// One of them alone says nothing.
		expect(MODEL_ERROR_TEXTS.promptTooLong({ promptTokens: 9000 }).title).not.toContain('9000');
		expect(MODEL_ERROR_TEXTS.modelLoading({ timeoutMs: 90_000 }).title).toBe(
			'The model is still loading after 90 s',
		);
	});

	test('a key that is missing is not called a wrong one', () => {
		expect(MODEL_ERROR_TEXTS.unauthorized({ isKeyMissing: true }).title).toContain(
			'the credential has none',
		);
		expect(MODEL_ERROR_TEXTS.unauthorized({}).title).toBe('The server rejected the API key');
	});

	test('a key that is refused may be that of a gateway', () => {
		const { suggestion } = MODEL_ERROR_TEXTS.unauthorized({});
		expect(suggestion).toContain('If this address is a gateway');
		expect(MODEL_ERROR_TEXTS.unauthorized({ isKeyMissing: true }).suggestion).not.toContain(
			'gateway',
		);
	});

	test('a missing route: a Base URL with a path is replaced by the address, a plain one is not', () => {
		const withPath = { root: 'http://h:8080/chat', typed: 'http://h:8080/chat' };
		const replaced = MODEL_ERROR_TEXTS.routeNotFound(withPath).suggestion;
		expect(replaced).toMatch(
			/^If other requests to this Base URL work, the server does not have this endpoint\. /,
		);
		expect(replaced).toContain('for example http://h:8080: ');
		const plain = { root: 'http://h:8080', typed: 'http://h:8080', url: 'http://h:8080/v1/chat' };
		expect(MODEL_ERROR_TEXTS.routeNotFound(plain).suggestion).toContain(
			'This server has no chat endpoint',
		);
		expect(MODEL_ERROR_TEXTS.routeNotFound(plain).suggestion).toContain('Open WebUI: /api');
		expect(MODEL_ERROR_TEXTS.routeNotFound({}).suggestion).toContain(
			'enter only the server address:',
		);
		const list = { ...plain, url: 'http://h:8080/v1/models' };
		expect(MODEL_ERROR_TEXTS.routeNotFound(list).title).toContain('no model list');
		expect(MODEL_ERROR_TEXTS.routeNotFound(list).suggestion).toMatch(
			/^A custom server may have no model list: enter the model name/,
		);
	});

	test('a path to which a proxy added a slash: its rule is at fault, whatever was typed', () => {
		for (const typed of ['http://h:8080', 'http://h:8080/chat'])
			for (const route of ['models', 'chat/completions'])
				expect(
					MODEL_ERROR_TEXTS.routeNotFound({ typed, url: `http://h:8080/v1/${route}/` }).suggestion,
				).toContain('redirect added a slash');
	});

	test('an answer that was all thinking: a limit is raised only where one was hit', () => {
		expect(MODEL_ERROR_TEXTS.onlyThinking({ maxTokens: 512 }).suggestion).toContain(
			'Raise Maximum Tokens (now 512)',
		);
		expect(
			MODEL_ERROR_TEXTS.onlyThinking({ hasModelEnded: true, maxTokens: 512 }).suggestion,
		).not.toContain('Maximum Tokens');
	});

	test('what a server cannot read is named, images and audio where it is not known', () => {
		expect(MODEL_ERROR_TEXTS.modalityUnsupported({ modality: 'audio' }).title).toBe(
			'The server does not support audio input',
		);
		expect(MODEL_ERROR_TEXTS.modalityUnsupported({}).title).toContain('image or audio input');
	});

	test('a tool call that was cut off names the tool and the limit', () => {
		expect(MODEL_ERROR_TEXTS.toolCallTruncated({ tool: 'search', maxTokens: 64 }).detail).toContain(
			'the tool "search" when the token limit of 64 was reached',
		);
	});

	test('Ollama is meant where nothing came with a refusal', () => {
		expect(MODEL_ERROR_TEXTS.forbidden({ isEmpty: true }).suggestion).toContain(
			'OLLAMA_HOST=0.0.0.0',
		);
		expect(MODEL_ERROR_TEXTS.forbidden({}).suggestion).not.toContain('Ollama');
	});
});
