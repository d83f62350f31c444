/** Addresses that answered: what fails there later is not about http or https. */
import { keep } from '../kept';

/** By scheme, host and port, for ten minutes. */
const answeredOrigins = keep<true>('answeredOrigins');

/** Stores that a response came from there, whatever it said. */
export function storeAnswer(origin: string): void {
	answeredOrigins.set(origin, true);
}

/** Whether a response came from the address of a URL. */
export function hasAnswered(url: string): boolean {
	return URL.canParse(url) && answeredOrigins.get(new URL(url).origin) === true;
}
