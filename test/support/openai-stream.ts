import { childProcess, process } from './node';

/**
 * Starts docs/docker/openai-stream.mjs.
 *
 * @param webhooks base URL of the example's webhooks
 * @returns its address
 */
export async function startOpenAiStream(
	webhooks: string,
): Promise<{ url: string; stop(): Promise<void> }> {
	const program = childProcess.spawn(process.execPath, ['docs/docker/openai-stream.mjs'], {
		env: { ...process.env, N8N_WEBHOOKS: webhooks, PORT: '0' },
		// stderr ignored: some tests cause errors.
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	const ended = new Promise<void>((resolve) => program.once('exit', () => resolve()));
	const stop = async () => {
		program.kill();
		await ended;
	};
	for await (const said of program.stdout) {
		const place = /Listening on (\S+)/.exec(String(said))?.[1];
		if (place !== undefined) return { url: `http://${place}`, stop };
	}
	throw new Error('docs/docker/openai-stream.mjs ended before it listened');
}
