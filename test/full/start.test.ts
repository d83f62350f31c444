import { childProcess, delay, fs, path, process } from '../support/node-builtins';
import { openEditor, type Editor } from '../e2e/support/editor';
import { EXAMPLES } from '../e2e/support/examples';
import { workFolder } from '../e2e/support/playground';
import { loadScript } from '../support/scripts';

const SLOW = 900_000;
/** All parts are installed: only n8n and the model are started, and the examples imported. */
const READY_TIMEOUT_MS = 360_000;

let child: childProcess.ChildProcess | undefined;
let startOutput = '';
let editor: Editor | undefined;

/**
 * `npm start` with a separate data folder, so that the user's data in this clone stay unchanged.
 */
async function npmStart(
	data: string,
	port: number,
): Promise<{ url: string; login: { email: string; password: string } }> {
	startOutput = '';
	const latest = Date.now() + READY_TIMEOUT_MS;
	child = childProcess.spawn('npm', ['start', '--', '--port', String(port)], {
		cwd: process.cwd(),
		env: { ...process.env, LOCAL_LLAMA_DATA: data, LOCAL_LLAMA_BASE_URL: '' },
		detached: true,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	for (const output of [child.stdout, child.stderr])
		output?.on('data', (bytes: Buffer) => (startOutput += bytes.toString('utf8')));
	while (!startOutput.includes('Ctrl-C ends everything.')) {
		if (hasEnded(child)) throw new Error(`npm start ended:\n${startOutput}`);
		if (Date.now() > latest)
			throw new Error(
				`npm start was not ready after ${READY_TIMEOUT_MS / 60_000} minutes:\n${startOutput}`,
			);
		await delay(100);
	}
	const [, url = ''] = /^n8n\s+(http:\/\/localhost:\d+)/m.exec(startOutput) ?? [];
	const [, email = '', password = ''] = /^Login\s+(\S+)\s+(\S+)/m.exec(startOutput) ?? [];
	return { url, login: { email, password } };
}

/** Files of n8n and the model server (conversations, keys, logs) that other users could read. */
function readableByOthers(data: string): string[] {
	return fs
		.readdirSync(data, { recursive: true, encoding: 'utf8' })
		.filter((name) => !name.endsWith('.lock'))
		.map((name) => ({ name, entry: fs.statSync(path.join(data, name)) }))
		.filter(({ entry }) => entry.isFile() && (entry.mode & 0o077) !== 0)
		.map(({ name, entry }) => `${name} ${(entry.mode & 0o777).toString(8)}`);
}

/** Ctrl+C: SIGINT to the whole foreground process group, like a terminal. */
async function ctrlC(): Promise<void> {
	if (child?.pid === undefined || hasEnded(child)) return;
	const ended = new Promise((resolve) => child!.once('exit', resolve));
	process.kill(-child.pid, 'SIGINT');
	await ended;
}

const hasEnded = ({ exitCode, signalCode }: childProcess.ChildProcess) =>
	exitCode !== null || signalCode !== null;

// Failed tests included: while a process runs, jest does not end.
afterEach(async () => {
	await editor?.close();
	await ctrlC();
});

describe('npm start', () => {
	it(
		'prints the URL of an n8n with the examples, and a chat responds; a second start imports nothing again and keeps all changes',
		async () => {
			const data = path.join(workFolder('start'), 'data');
			const { freePort } = await loadScript<{ freePort(): Promise<number> }>('ports');
			const port = await freePort();
			const first = await npmStart(data, port);
			expect(startOutput.match(/\/workflow\/\S+/g)).toHaveLength(5);

			editor = await openEditor(first, 'light', first.login);
			const { page, get } = editor;
			await page.goto(`${first.url}/home/workflows`);
			await page.getByText('Chat with local model').first().waitFor();
			await page
				.getByTestId('resources-list-item-workflow')
				.nth(EXAMPLES.length - 1)
				.waitFor();

			await page.getByText('Chat with local model').first().click();
			await get('workflow-chat-button').waitFor();
			if (!(await get('chat-input').isVisible())) await get('workflow-chat-button').click();
			await get('chat-input').fill('Say hello in one sentence.');
			await page.keyboard.press('Enter');
			await page.locator('[data-test-id="logs-overview-status"]', { hasText: 'Success' }).waitFor();
			const answer = (
				await page
					.locator('[data-test-id="canvas-chat-body"] .chat-message-from-bot')
					.allInnerTexts()
			)
				.join(' ')
				.trim();
			expect(answer.length).toBeGreaterThan(5);
			expect(fs.readdirSync(data)).toEqual(
				expect.arrayContaining(['login.json', 'llama-server.log', 'n8n.log']),
			);
			expect(readableByOthers(data)).toEqual([]);
			await editor.close();
			await ctrlC();

			expect(await npmStart(data, port)).toEqual(first);
			expect(startOutput).toContain('workflows (unchanged)');
			expect(startOutput).not.toContain('owner account');
			await ctrlC();
			await expect(fetch(first.url)).rejects.toThrow();
		},
		SLOW,
	);
});
