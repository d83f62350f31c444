/**
 * Sticky notes of the example workflows, followed in the real editor to a finished run: a few kinds by default, all of
 * them with `LOCAL_LLAMA_NOTES=all`; bench/results/notes-followed.md has what came out. A part of a name selects those.
 */
import { fs, path, process } from '../support/node';
import { openNotePage, type NotePage } from './support/note-page';
import { NOTES } from './support/notes';
import { EXAMPLES } from './support/examples';
import { stopEverything, workFolder } from './support/playground';
import { closeAll, SLOW, startTheN8n } from './support/run-examples';

/** One of each kind: a chat, Execute workflow, a form, two triggers, Publish. */
const KINDS = [
	'chat-with-local-model',
	'extract-structured-data',
	'summarize-documents',
	'judge-my-judge',
	'wait-for-model',
];

const wanted = process.env.LOCAL_LLAMA_NOTES ?? '';
const chosen = (): string[] => {
	if (wanted === '') return KINDS;
	if (wanted === 'all') return EXAMPLES;
	return EXAMPLES.filter((name) => wanted.split(',').some((part) => name.includes(part)));
};

let note: NotePage;
let folder: string;
const rows: string[] = [];

beforeAll(async () => {
	folder = workFolder('knowledge');
	await startTheN8n({ env: { N8N_RESTRICT_FILE_ACCESS_TO: folder } });
	note = await openNotePage();
}, SLOW);
afterEach(closeAll);
afterAll(async () => {
	fs.writeFileSync(path.join(workFolder('notes'), 'rows.md'), rows.join('\n'));
	await note.editor.close();
	await stopEverything();
}, SLOW);

const cell = (text: string) => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, 220);

it.each(chosen())(
	'%s',
	async (name) => {
		let result = 'FAILED';
		try {
			result = await NOTES[name]!(note, folder);
			expect(await note.shown()).toContain(', 0 red');
		} finally {
			if (result === 'FAILED') await note.editor.picture(`notes/${name}`);
			const shown = await note.shown();
			const row = `| ${name} | ${cell(note.clicks.join(' → '))} | ${cell(result)} | ${cell(shown)} |`;
			process.stdout.write(`${row}\n`);
			rows.push(row);
		}
	},
	SLOW,
);
