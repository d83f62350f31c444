import { childProcess, delay, path, process } from '../support/node';
import { openEditor, type Editor } from './support/editor';
import { EXAMPLES } from './support/examples';
import { workFolder } from './support/playground';
import { loadScript } from '../support/scripts';

const SLOW = 900_000;
/** Everything is there already: what remains is starting n8n and the model, and importing. */
const READY_TIMEOUT_MS = 360_000;

let child: childProcess.ChildProcess | undefined;
let said = '';
let editor: Editor | undefined;

/**
 * `npm start` as somebody types it, but with data of its own, so that what the user has in this clone stays as it is.
 */
async function npmStart(
	data: string,
	port: number,
): Promise<{ url: string; login: { email: string; password: string } }> {
	said = '';
	const latest = Date.now() + READY_TIMEOUT_MS;
	child = childProcess.spawn('npm', ['start', '--', '--port', String(port)], {
		cwd: process.cwd(),
		env: { ...process.env, LOCAL_LLAMA_DATA: data, LOCAL_LLAMA_BASE_URL: '' },
		detached: true,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	for (const output of [child.stdout, child.stderr])
		output?.on('data', (bytes: Buffer) => (said += bytes.toString('utf8')));
	while (!said.includes('Ctrl-C ends everything.')) {
		if (hasEnded(child)) throw new Error(`npm start ended:\n${said}`);
		if (Date.now() > latest)
			throw new Error(`npm start was not ready after ${READY_TIMEOUT_MS / 60_000} minutes:\n${said}`);
		await delay(100);
	}
	const [, url = ''] = /^n8n\s+(http:\/\/localhost:\d+)/m.exec(said) ?? [];
	const [, email = '', password = ''] = /^Login\s+(\S+)\s+(\S+)/m.exec(said) ?? [];
	return { url, login: { email, password } };
}

/** Ctrl-C, as the terminal sends it to everything in the foreground. */
async function ctrlC(): Promise<void> {
	if (child?.pid === undefined || hasEnded(child)) return;
	const ended = new Promise((resolve) => child!.once('exit', resolve));
	process.kill(-child.pid, 'SIGINT');
	await ended;
}

const hasEnded = ({ exitCode, signalCode }: childProcess.ChildProcess) => exitCode !== null || signalCode !== null;

afterAll(async () => {
	await editor?.close();
	await ctrlC();
});

describe('npm start', () => {
	it(
		'prints an address where the examples are, and a chat answers; a second start imports nothing anew and keeps what was done',
		async () => {
			const data = path.join(workFolder('start'), 'data');
			const { freePort } = await loadScript<{ freePort(): Promise<number> }>('ports');
			const port = await freePort();
			const first = await npmStart(data, port);
			expect(said.match(/\/workflow\/\S+/g)).toHaveLength(EXAMPLES.length);

			editor = await openEditor(first, 'light', first.login);
			const { page, get } = editor;
			await page.goto(`${first.url}/home/workflows`);
			await page.getByText('Chat with a local model').first().waitFor();
			await page
				.getByTestId('resources-list-item-workflow')
				.nth(EXAMPLES.length - 1)
				.waitFor();
			await editor.picture('start-workflows');

			await page.getByText('Chat with a local model').first().click();
			await get('workflow-chat-button').waitFor();
			if (!(await get('chat-input').isVisible())) await get('workflow-chat-button').click();
			await get('chat-input').fill('Say hello in one sentence.');
			await page.keyboard.press('Enter');
			await page.locator('[data-test-id="logs-overview-status"]', { hasText: 'Success' }).waitFor();
			const answer = (await page.locator('[data-test-id="canvas-chat-body"] .chat-message-from-bot').allInnerTexts())
				.join(' ')
				.trim();
			expect(answer.length).toBeGreaterThan(5);
			await editor.picture('start-chat');
			await editor.close();
			await ctrlC();

			expect(await npmStart(data, port)).toEqual(first);
			expect(said).toContain('example workflows (unchanged)');
			expect(said).not.toContain('owner account');
			await ctrlC();
			await expect(fetch(first.url)).rejects.toThrow();
		},
		SLOW,
	);
});
