/** The work that every peer does. */
export const CITIES = ['Tokyo', 'Seattle', 'London'] as const;

export function sayHello(city: string): string {
  return `Hello ${city}!`;
}

/** The output of one workflow, as JSON. */
export const EXPECTED_OUTPUT = JSON.stringify(CITIES.map(sayHello));
