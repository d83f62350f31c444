/** The chapter of connections: uploads, time, and the probes of Server Health. */
import type { Facts } from '../facts';
import { parseHostAndPort } from '../host-and-port';
import { describeDroppedPackets } from '../rows/network';
import type { Row } from './row';
import { defineRow } from './row';
import { join } from '../sentences';

/** Bytes: nginx accepts as much by default, and no proxy less. */
const SMALLEST_BODY_LIMIT = 1_000_000;

/** For a model that is loading while its server is checked. */
export const WAIT_FOR_MODEL =
	'Wait for it with the operation "Wait Until Ready". Large models on slow disks take minutes; if loading never finishes, check the server log.';

/** A server that accepts connections, and responds to no probe. */
const SILENT_SERVER: Readonly<Record<Facts['checkedService'], string>> = {
	modelServer:
		'The server process may be frozen (out of memory and swapping, a hung GPU driver), a port forward (Docker, ssh -L) may lead nowhere, or the server is slow: raise Check Timeout.',
	dify: 'Its API or database may be overloaded or hung: check docker compose ps and docker compose logs api, or raise Check Timeout.',
};

export const CONNECTION_ROWS: readonly Row[] = [
	// Uploads
	defineRow({
		types: ['closedBeforeResponse'],
		needs: ['brokenUpload'],
		tell: ({ brokenUpload: { fileSize, sentBytes } }) => ({
			title: `The connection was closed during the file upload (${sentBytes} bytes sent)`,
			suggestion:
				fileSize < SMALLEST_BODY_LIMIT
					? 'The file is smaller than any usual limit, so the server itself closed the connection: check its log.'
					: 'The usual cause is a file that is too large for the server or a proxy in front of it (nginx: client_max_body_size): its log says so.',
		}),
	}),

	// Server Health
	defineRow({
		types: ['modelLoading'],
		needs: ['checkedService'],
		tell: () => WAIT_FOR_MODEL,
	}),
	defineRow({
		types: ['totalTimeout'],
		needs: ['checkedService', 'isConnected'],
		tell: ({ checkedService }) => SILENT_SERVER[checkedService],
	}),
	defineRow({
		types: ['totalTimeout'],
		needs: ['checkedService', 'root'],
		tell: ({ root }) =>
			join(
				describeDroppedPackets({ ...parseHostAndPort(root), url: root, root }),
				'If the server is far away, raise Check Timeout.',
			),
	}),
	defineRow({
		types: ['firstTokenTimeout'],
		needs: ['isTestGeneration'],
		tell: () =>
			'It may be processing a very long prompt: check again in a minute. If nothing changes, the GPU is probably hung: look for ROCm, HIP or CUDA errors in the server log, check rocm-smi or nvidia-smi, and restart the server.',
	}),

	// Time
	defineRow({
		types: ['firstTokenTimeout'],
		needs: ['isSilentTask', 'wasSent'],
		tell: () => ({
			title: 'The server did not start to respond within the First Token Timeout',
			suggestion:
				'It sends nothing until the result is complete: raise "First Token Timeout" (0 = no limit), request less at a time, or run Server Health to see whether it is busy or stuck.',
		}),
	}),
];
