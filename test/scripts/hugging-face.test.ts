import { fs, os, path } from '../support/node';
import { loadScript } from '../support/scripts';

interface HuggingFaceScript {
	llamaName(name: string): string;
	writeScriptedFolder(
		folder: string,
		replies: Array<{ reply: string }>,
		options: { contextLength: number },
	): void;
}

it.each([
	['token_embd.weight', 'model.embed_tokens.weight'],
	['output_norm.weight', 'model.norm.weight'],
	['blk.0.attn_q.weight', 'model.layers.0.self_attn.q_proj.weight'],
	['blk.11.ffn_norm.weight', 'model.layers.11.post_attention_layernorm.weight'],
])('%s is %s', async (own, wanted) => {
	const { llamaName } = await loadScript<HuggingFaceScript>('hugging-face');
	expect(llamaName(own)).toBe(wanted);
});

it('the scripted model as a folder: every token has its place, and those of the template are special', async () => {
	const { writeScriptedFolder } = await loadScript<HuggingFaceScript>('hugging-face');
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'scripted-'));
	writeScriptedFolder(folder, [{ reply: 'Hello there. Ünïcödé 🦙' }], { contextLength: 512 });
	const read = (name: string) =>
		JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as Record<string, never>;
	const { model, added_tokens: added } = read('tokenizer.json') as unknown as {
		model: { vocab: Record<string, number> };
		added_tokens: Array<{ id: number; content: string }>;
	};
	const config = read('config.json') as unknown as {
		vocab_size: number;
		max_position_embeddings: number;
	};
	expect(Object.values(model.vocab).sort((one, other) => one - other)).toEqual([
		...Array(config.vocab_size).keys(),
	]);
	expect(added.map(({ content }) => content)).toContain('<|im_end|>');
	expect(added.every(({ id, content }) => model.vocab[content] === id)).toBe(true);
	expect(config.max_position_embeddings).toBe(512);
	fs.rmSync(folder, { recursive: true });
});
