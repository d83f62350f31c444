import type { Connection } from '../../http/connection';
import type { ChoiceOptions } from '../pool/choose-server';
import type { ServerPool } from '../pool/server-pool';
import type { ModelQuestion } from '../kinds/work';

export type Work<T> = (connection: Connection, ask: ModelQuestion) => Promise<T>;

/** Asks one of the servers of the credential, and the next one where it fails: for short questions that change nothing. */
export async function atAnyServer<T>(
	{
		servers,
		signal,
		conversation,
	}: { servers: ServerPool } & Pick<ChoiceOptions, 'signal' | 'conversation'>,
	model: string,
	work: Work<T>,
): Promise<T> {
	const { value } = await servers.run(
		async ({ connection, model: there }) =>
			await work(connection, { model: there, signal, once: servers.hasSeveral }),
		{
			model,
			use: 'ask',
			limits: {},
			retryPolicyAt: () => (failed) => failed,
			idempotent: true,
			signal,
			conversation,
		},
	);
	return value;
}
