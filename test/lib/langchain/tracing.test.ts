import { getTracerWithoutTokenizer } from '../../../lib/langchain/local-chat-model';
import { findHostClasses, type HostClasses, loadSdk } from '../../../lib/langchain/host-classes';
import { fakeContext } from '../../support/context';

type Tracing = HostClasses['N8nLlmTracing'];
interface Tracer {
	handleLLMStart(llm: object, prompts: string[], runId: string): Promise<void>;
	handleLLMEnd(output: object, runId: string): Promise<void>;
	handleLLMError(error: Error, runId: string): Promise<void>;
}

async function hostTracing(): Promise<Tracing> {
	const harvest = await findHostClasses(fakeContext({}, {}).context, loadSdk());
	if (harvest.type === 'missing') throw new Error(harvest.missing);
	return harvest.classes.N8nLlmTracing;
}

async function tracer(options?: Record<string, unknown>) {
	const fake = fakeContext({}, {});
	const Own = getTracerWithoutTokenizer(await hostTracing());
	return { fake, trace: new Own(fake.context, options) as unknown as Tracer };
}

const generations = [[{ text: 'x'.repeat(400), generationInfo: { finish_reason: 'stop' } }]];

describe("n8n's tracer without its tokenizer", () => {
	it("is an instance of n8n's class, by which the Model Selector recognizes it", async () => {
		const Host = await hostTracing();
		const { trace } = await tracer();
		expect(trace).toBeInstanceOf(Host);
		expect(getTracerWithoutTokenizer(Host)).toBe(getTracerWithoutTokenizer(Host));
	});

	it('never runs the tokenizer, neither for the prompt nor for the response', async () => {
		const Host = await hostTracing();
		const original = jest.spyOn(
			Host.prototype as { estimateTokensFromStringList(): unknown },
			'estimateTokensFromStringList',
		);
		const { trace } = await tracer();
		await trace.handleLLMStart({ type: 'constructor', kwargs: {} }, ['y'.repeat(800)], 'run');
		await trace.handleLLMEnd({ generations, llmOutput: {} }, 'run');
		expect(original).not.toHaveBeenCalled();
		original.mockRestore();
	});

	it("logs as n8n's tracer: the input with an estimate, the response with the token counts of the server", async () => {
		const { fake, trace } = await tracer();
		await trace.handleLLMStart(
			{ type: 'constructor', kwargs: { model: 'qwen' } },
			['y'.repeat(800)],
			'run',
		);
		await trace.handleLLMEnd(
			{
				generations,
				llmOutput: { tokenUsage: { promptTokens: 11, completionTokens: 7, totalTokens: 18 } },
			},
			'run',
		);
		expect(fake.inputs).toEqual([
			{ messages: ['y'.repeat(800)], estimatedTokens: 200, options: { model: 'qwen' } },
		]);
		expect(fake.outputs).toEqual([
			{
				response: { generations },
				tokenUsage: expect.objectContaining({
					promptTokens: 11,
					completionTokens: 7,
					totalTokens: 18,
				}) as unknown,
			},
		]);
	});

	it('estimates if the server does not count tokens', async () => {
		const { fake, trace } = await tracer();
		await trace.handleLLMStart(
			{ type: 'constructor', kwargs: {} },
			['y'.repeat(800), 'z'.repeat(40)],
			'run',
		);
		await trace.handleLLMEnd({ generations }, 'run');
		expect(fake.outputs).toEqual([
			expect.objectContaining({
				tokenUsageEstimate: { promptTokens: 210, completionTokens: 100, totalTokens: 310 },
			}),
		]);
	});

	it('ignores content that is not text', async () => {
		const { fake, trace } = await tracer();
		await trace.handleLLMStart(
			{ type: 'constructor', kwargs: {} },
			['y'.repeat(4), undefined as unknown as string],
			'run',
		);
		expect(fake.inputs).toEqual([expect.objectContaining({ estimatedTokens: 1 })]);
	});

	it('does not change a tracer with another estimate', () => {
		class Other {}
		expect(getTracerWithoutTokenizer(Other as unknown as Tracing)).toBe(Other);
	});
});
