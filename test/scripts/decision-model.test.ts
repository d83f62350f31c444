import { fs, os, path } from '../support/node';
import { parseGguf } from '../support/gguf';
import { loadScript } from '../support/scripts';

interface Scripts {
	writeTinyModel(file: string): void;
	writeDecisionModel(source: string, target: string): void;
}

it('adds the two entries of a decision model, and leaves the tensors as they are', async () => {
	const { writeTinyModel } = await loadScript<Scripts>('tiny-model');
	const { writeDecisionModel } = await loadScript<Scripts>('decision-model');
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'decisions-'));
	const [source, target] = ['chat.gguf', 'decisions.gguf'].map((name) => path.join(folder, name));
	writeTinyModel(source!);
	writeDecisionModel(source!, target!);
	const [chat, decisions] = [source!, target!].map((file) => {
		const bytes = fs.readFileSync(file);
		const { dataAt, ...parsed } = parseGguf(bytes);
		return { ...parsed, data: bytes.subarray(dataAt) };
	});
	fs.rmSync(folder, { recursive: true });
	const {
		'llama.decision.type': kind,
		'tokenizer.chat_template.systemone': template,
		...rest
	} = decisions!.metadata;
	expect(kind).toBe('openjev');
	expect(template).toContain('{{ option.label }}');
	expect(rest).toEqual(chat!.metadata);
	expect(decisions!.tensors).toEqual(chat!.tensors);
	expect(decisions!.data.equals(chat!.data)).toBe(true);
});
